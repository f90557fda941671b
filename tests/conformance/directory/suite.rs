//! The suite, on each implementation.

macro_rules! suite {
    ($($module:ident: $($name:ident)*;)*) => {
        mod sqlite {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        super::super::super::$module::$name(&super::super::super::home::sqlite_home()).await;
                    }
                )*
            })*
        }
        mod postgres {
            $(mod $module {
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $name() {
                        super::super::super::$module::$name(&super::super::super::home::postgres_home()).await;
                    }
                )*
            })*
        }
    };
}

suite! {
    users:
        a_user_is_found_by_any_single_valued_attribute
        a165_a_user_is_found_in_its_own_directory_only
        a167_an_external_id_never_meets_an_internal_one
        a168_an_empty_value_finds_nobody
        a168_values_that_are_no_text_find_nobody
        a170_user_name_and_email_compare_folded_and_all_else_exactly
        a170_search_and_uniqueness_fold_alike
        two_of_many_matches_are_enough
        long_values_are_found_and_told_apart
        quotes_and_odd_characters_are_text_like_any_other
        a_user_switched_off_keeps_its_attributes_and_loses_what_was_issued
        switching_off_leaves_other_people_alone
        f20_a_clock_set_back_revives_nothing
        switching_on_who_is_on_changes_nothing
        nobody_can_be_switched
        a_change_is_in_force_for_another_process_at_once;
    jit:
        a_first_login_creates_the_user
        a_later_login_is_the_same_user_whatever_its_fresh_id
        a_login_that_says_nothing_new_changes_nothing
        attributes_without_a_value_stay_as_they_were
        a174_a_login_never_revives_an_inactive_user
        a174_a_login_sets_nothing_that_is_not_a_persons_own
        a175_a_user_name_that_belongs_to_another_is_refused_and_nothing_is_written
        an_external_id_that_belongs_to_another_is_refused
        a168_a_login_without_a_value_to_match_by_is_nobody
        a169_a_login_that_matches_two_users_is_refused
        the_next_login_finds_whom_the_first_made_whatever_it_matches_by
        email_verified_speaks_of_the_email_that_is_named
        names_given_up_become_former_names
        a_name_given_up_is_free_for_somebody_else
        the_latest_ten_former_names_are_kept;
    standing:
        a_user_in_good_standing
        nobody_has_no_standing
        a127_a_session_signed_out_stays_so
        a_sign_out_ends_the_families_bound_to_the_session_and_no_others
        a_second_sign_out_moves_nothing_back
        a_user_switched_off_shows_in_its_standing
        a_family_revoked_before_it_was_born_shows_in_its_users_standing;
    families:
        a_family_is_read_as_it_was_written
        a_family_begins_once
        a_family_revoked_before_it_was_born_never_begins
        a_turn_replaces_the_generation_it_expects
        a_turn_needs_a_family
        a_revocation_is_remembered_also_of_what_never_was
        a_turn_that_does_not_grow_the_generation_is_none
        a_turn_may_be_the_last
        a102_a_revoked_family_stays_dead;
    notices:
        a_notice_is_handed_out_as_it_was_queued
        a_notice_is_due_from_its_creation_on
        attempts_begin_at_none_whatever_is_queued
        one_that_waits_is_not_queued_twice
        one_for_all_sessions_that_was_handed_out_is_replaced
        nothing_is_handed_out_again_before_its_time
        those_due_longest_come_first_up_to_the_limit
        each_client_that_has_something_due_is_named_once
        what_is_settled_is_gone_or_comes_again_when_it_is_told
        what_waits_is_counted_by_client
        a_sign_out_queues_its_notices_with_it
        notices_that_nobody_takes_are_forgotten_after_two_days
        no_two_processes_are_handed_the_same_notice
        one_thing_to_tell_that_many_queue_at_once_waits_once;
    leavings:
        who_is_switched_off_leaves_the_clients_whose_families_ended_with_it
        who_has_no_family_leaves_all_the_same
        only_who_was_active_leaves
        leavings_come_oldest_first_up_to_the_limit_and_not_again_before_their_time
        a_leaving_is_closed_with_its_notices
        a_later_leaving_of_the_same_user_stays
        f20_two_leavings_at_one_moment_or_by_a_clock_set_back_are_two
        leavings_that_nobody_takes_are_forgotten_after_two_days
        a_user_switched_off_by_many_at_once_leaves_once;
    keys:
        keys_are_read_as_they_were_written_oldest_first
        a_rotation_is_all_or_nothing
        a_rotation_by_an_old_view_changes_nothing
        of_many_rotations_at_once_one_wins;
    traces:
        a_trace_is_read_as_it_was_kept
        a_later_trace_of_one_reference_replaces_the_earlier
        a_trace_is_seen_by_another_process_within_seconds
        traces_older_than_the_age_are_forgotten
        sign_outs_are_forgotten_after_their_time
        families_long_dead_are_forgotten_and_the_living_stay
        a_revocation_outlives_a_short_age;
    races:
        g02_of_a_hundred_turns_of_one_generation_one_wins
        turns_of_different_families_all_win
        a_revocation_outlasts_every_turn_that_races_it
        a_family_that_races_its_revocation_or_sign_out_is_not_left_alive
        first_logins_of_one_person_at_once_make_one_user
        new_people_who_claim_one_user_name_at_once_are_one_user_and_conflicts
        g03_readers_see_every_write_that_was_answered;
}
