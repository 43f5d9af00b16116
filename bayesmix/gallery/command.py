"""How to sample, as options of the command line that stand before what model.toml says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

GO_ON = {"until": "trusted"}
"""At the command line sampling goes on where effort mends a bad verdict; model.toml and options may say otherwise."""


def sampling_options(command: Callable[..., None]) -> Callable[..., None]:
    """How to sample: where an option is not given, what model.toml says holds."""
    options = [
        click.option("--seed", type=click.IntRange(min=0), help="Same seed, same draws."),
        click.option("--draws", type=click.IntRange(min=4), help="Kept draws per chain."),
        click.option("--tune", type=click.IntRange(min=1), help="Warm-up draws per chain."),
        click.option("--chains", type=click.IntRange(min=1), help="Number of chains."),
        click.option("--until", type=click.Choice(["trusted", "once"]), help="Go on until trusted (default)."),
        click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="How long that may take; else 5."),
        click.option("-q", "--quiet", is_flag=True, help="No progress bar."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def asked(settings: dict[str, Any]) -> dict[str, Any]:
    """What was given of the sampler's settings; ``once`` is no condition."""
    said = given(settings)
    return said | ({"until": None} if said.get("until") == "once" else {})


def given(settings: dict[str, Any]) -> dict[str, Any]:
    """Without what was not given."""
    return {key: value for key, value in settings.items() if value is not None}
