"""Sharing is judged beside the same without it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.figure import Figure
from bench.sharing_figures import sharing_figures

LARGE = {"items": 1000, "chunks": 10_000}
TIMES = {"propose": 5.0, "accept": 300.0, "unshare": 310.0, "copy": 12.0}


def judged(**changes: Any) -> dict[str, Figure]:
    sharing = {
        "large": LARGE | TIMES,
        "commits": {"members": 10, "private": 1000.0, "shared": 950.0, "mounted": 940.0},
        "listing": {"mounts": 100, "plain": 5.0, "mounted": 8.0},
        **changes,
    }
    return {figure.name: figure for figure in sharing_figures({"sharing": sharing})}


def test_without_the_part_there_is_no_figure() -> None:
    assert list(sharing_figures({})) == []


def test_each_step_of_sharing_a_large_folder_is_told() -> None:
    told = judged()
    figure = told["accept a folder of 1,000 items and 10,000 chunks"]
    assert (figure.value, figure.unit) == (300.0, "ms")
    assert told["copy its chunks, 10,000"].value == 12.0


@pytest.mark.parametrize(("shared", "met"), [(900.0, True), (899.0, False)])
def test_commits_to_a_shared_workspace_are_compared_with_private_ones(
    shared: float, met: bool
) -> None:
    told = judged(commits={"members": 10, "private": 1000.0, "shared": shared, "mounted": 1.0})
    figure = told["commits through AMQP, one shared by 10"]
    assert figure.ratio == shared / 1000
    assert figure.met is met


@pytest.mark.parametrize(("mounted", "met"), [(14.9, True), (15.0, False)])
def test_a_root_of_shared_folders_is_compared_with_one_of_plain_ones(
    mounted: float, met: bool
) -> None:
    told = judged(listing={"mounts": 100, "plain": 5.0, "mounted": mounted})
    assert told["list a root of 100 shared folders"].met is met
