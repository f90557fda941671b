//! What is told to whom when somebody is out.

mod deaf;
mod stage;
mod told;
