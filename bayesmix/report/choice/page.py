"""A choice as a page to read: what each route chooses and why, the picture, the tables."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from pathlib import Path

from bayesmix.choosing import words
from bayesmix.choosing.choice import ROUTES, Choice
from bayesmix.choosing.stability import Stability
from bayesmix.inputs.storage import write_text
from bayesmix.inputs.tables.write import write_csv
from bayesmix.report.blocks import Block, Bullets, Cards, Code, Figure, Notice, Paragraph, Section
from bayesmix.report.choice.figure import choice_figure
from bayesmix.report.choice.stability import STABILITY, blocks, stability_figure
from bayesmix.report.choice.tables import of_em, of_groups, of_merging, of_number, of_posteriors, of_quality
from bayesmix.report.exported import FOLDER as TABLES
from bayesmix.report.exported import write_tables
from bayesmix.report.figures import Picture, render
from bayesmix.report.page import css, environment
from bayesmix.report.text import fixed, plural, prose

PICTURE = "choice"


def write_choice(
    choice: Choice,
    out: str | Path,
    *,
    title: str = "How many components?",
    command: str = "",
    stability: Stability | None = None,
) -> Path:
    """Write a choice as a page: one HTML file, with the tables as CSV beside it.

    Parameters
    ----------
    choice : Choice
        Of :func:`bayesmix.choose`.
    out : str or Path
        The folder.
    title : str
        Of the page.
    command : str
        What made it, where a command did.
    stability : Stability, optional
        Of :func:`bayesmix.stability`, for the same candidates: a section on how the choice holds.

    Returns
    -------
    Path
        Of ``index.html``.

    Raises
    ------
    OSError
        Where the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from bayesmix import Data, Mixture, choose
    >>> data, spec = Data([1.0, 2.0, 3.0, 11.0, 12.0, 13.0]), Mixture("gaussian", n_components=1)
    >>> choice = choose(spec, data, n_components=(1, 2), mode="em", folds=0, progress=False)
    >>> write_choice(choice, tempfile.mkdtemp()).name
    'index.html'
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    data, spec = choice.candidates[0].data, choice.candidates[0].spec
    compared = f"{plural(len(choice.candidates), 'candidate')}, {plural(len(data), 'row')}"
    sections = _sections(choice, command, stability)
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            subtitle=f"{spec.family.replace('_', ' ')} mixtures · {compared} · how many components",
            css=css(),
            sections=sections,
            pictures=_pictures(choice, stability),
            version=version("bayesmix"),
            date=date.today().isoformat(),
        )
    )
    write_csv(choice.table, folder / "table.csv")
    write_csv(choice.posterior, folder / "posterior.csv")
    write_tables(sections, folder / TABLES)
    path = folder / "index.html"
    write_text(path, page)
    return path


def _pictures(choice: Choice, stability: Stability | None) -> dict[str, Picture]:
    pictures = {PICTURE: render(choice_figure(choice))}
    if stability is not None:
        pictures[STABILITY] = render(stability_figure(stability, choice.together(stability.name)))
    return pictures


def _sections(choice: Choice, command: str, stability: Stability | None) -> list[Section]:
    sections = [
        Section("verdict", "What the routes choose", _verdict(choice)),
        Section("criteria", "Criteria", _criteria(choice)),
    ]
    if choice.sampled:
        sections.append(Section("number", "How many components, how many clusters", _number(choice)))
    if "groups" in choice.best_record:
        sections.append(Section("groups", f"The groups of K = {choice.best_name}", _groups(choice)))
    if stability is not None:
        sections.append(Section(STABILITY, "Would other rows have chosen alike?", blocks(stability)))
    notes: list[Block] = [Bullets([prose(note) for note in choice.notes])]
    return [*sections, Section("made", "How it was made", [*notes, Code(command)] if command else notes)]


def _verdict(choice: Choice) -> list[Block]:
    agree = len(set(choice.routes.values())) == 1
    level = "bad" if not choice.ok else "good" if agree else "note"
    title = "All routes agree" if agree else "The routes do not agree"
    if not choice.ok:
        title += "; not all of it can be trusted yet"
    text = words.routes_in_words(choice).removeprefix("The routes do not agree. ")
    blocks: list[Block] = [Notice(level, title, prose(text)), _cards(choice)]
    if why := words.reasons(choice):
        blocks += [Paragraph("Why, and what cannot be told:"), Bullets([prose(reason) for reason in why])]
    if careful := words.cautions(choice):
        blocks.append(Notice("note", "With care", "", [prose(caution) for caution in careful]))
    return blocks


def _cards(choice: Choice) -> Cards:
    routes = choice.routes
    cards = [(routes["bic"], "components by BIC, from EM alone", "")]
    if not choice.sampled:
        cards += [(name, f"components by {ROUTES[v][0]}", "") for v, name in routes.items() if v != "bic"]
    if "elpd_loo" in routes:
        close = words.close_by_loo(choice)
        cards.append((routes["elpd_loo"], f"by leave-one-out{_beside(close)}", ""))
    if "probability" in routes:
        name = routes["probability"]
        probability = float(choice.table["probability"].loc[name])
        cards.append((name, f"most probable, {fixed(probability, 2)} given the rows", ""))
        cards += _counted(choice)
    return Cards(cards)


def _counted(choice: Choice) -> list[tuple[str, str, str]]:
    """The most probable numbers of components that have rows, and of modes."""
    told = {"occupied": "components that have rows", "modes": "clusters (modes of the density)"}
    cards = []
    for name, what in told.items():
        if name in choice.posterior:
            p = choice.posterior[name]
            cards.append((str(int(p.to_numpy().argmax()) + 1), f"{what}, probability {fixed(float(p.max()), 2)}", ""))
    return cards


def _beside(names: list[str]) -> str:
    return f", hardly better than {', '.join(names)}" if names else ""


def _criteria(choice: Choice) -> list[Block]:
    alt = f"Criteria against the number of components: {prose(words.routes_in_words(choice))}"
    caption = (
        "Of each criterion its distance from the best candidate. Where a curve is flat, it does not choose; bars of "
        "leave-one-out are one standard error of the difference from the best."
    )
    return [Figure(PICTURE, alt, caption), of_em(choice), *([of_posteriors(choice)] if choice.sampled else [])]


def _number(choice: Choice) -> list[Block]:
    told = [prose(sentence) for sentence in words.numbers_in_words(choice)]
    why = (
        "A cluster may be made up of several components, where one does not have its shape: those whose density has "
        "one mode. All three numbers are averaged over candidates, by their probabilities."
    )
    return [Bullets(told), of_number(choice), Paragraph(why, "note")]


def _groups(choice: Choice) -> list[Block]:
    text = (
        "How sure rows are of their groups, for the best candidate. A probability of belonging says what the model "
        "makes of a row; it is right as far as the model is."
    )
    return [Paragraph(text, "lead"), of_quality(choice), of_groups(choice), of_merging(choice)]
