"""The scenes, in their order."""

from __future__ import annotations

from collections.abc import Callable

from demo.scenes.blue_green import somebody_approves_the_switch
from demo.scenes.broken import a_broken_commit_is_refused
from demo.scenes.canary import a_bad_version_is_undone, a_good_version_is_promoted
from demo.scenes.change import an_image_changes
from demo.scenes.deploy import a_cluster_is_there, a_config_repository_is_deployed
from demo.scenes.drift import somebody_edits_a_live_object
from demo.scenes.prune import a_file_leaves_git
from demo.scenes.release import (
    an_image_becomes_a_pull_request,
    team_b_is_there,
    two_people_approve_it,
)
from demo.scenes.taken_back import a_bad_image_gets_no_further, it_stays_away
from demo.stage import Stage

SCENES: tuple[Callable[[Stage], None], ...] = (
    a_cluster_is_there,
    a_config_repository_is_deployed,
    an_image_changes,
    somebody_edits_a_live_object,
    a_file_leaves_git,
    a_broken_commit_is_refused,
    a_good_version_is_promoted,
    a_bad_version_is_undone,
    somebody_approves_the_switch,
    team_b_is_there,
    an_image_becomes_a_pull_request,
    two_people_approve_it,
    a_bad_image_gets_no_further,
    it_stays_away,
)
