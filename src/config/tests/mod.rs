mod fixture;
mod folders;
mod live;
