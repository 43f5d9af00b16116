"""The report by mail: short, on few printed pages, figures that say in words what they show and open large."""

from markupsafe import Markup

from bayesmix.report.blocks import Figure, Paragraph, Section, Table
from bayesmix.report.captions import CAPTIONS, illustrated
from bayesmix.report.short import MOST_SHORT_ROWS, shortened


def table(n, caption="c"):
    return Table(["Parameter", "Mean"], [[str(i), str(i)] for i in range(n)], [False, True], caption)


def test_it_has_the_verdict_two_pictures_and_the_tables():
    figures = {name: Figure(name, f"{name}: 3 of 4", "c") for name in ("data", "components", "forest", "pairs")}
    whole = [
        Section("verdict", "Verdict", [Paragraph("good")]),
        Section("data", "The data", [table(3), figures["data"]]),
        Section("posterior", "The posterior", [figures["forest"], figures["pairs"], table(99)]),
        Section("components", "Components", [figures["components"]]),
        Section("responsibilities", "Rows", [Paragraph("what it is"), table(4), figures["data"]]),
        Section("comparison", "EM beside", [Paragraph("they agree"), table(60), Paragraph("more")]),
    ]
    first, pictures, numbers = shortened(whole)
    assert first is whole[0]
    assert pictures.blocks == [figures["components"], figures["forest"]]
    told, parameters, rows = numbers.blocks
    assert (told.text, rows) == ("they agree", table(4))
    assert parameters.rows[:MOST_SHORT_ROWS] == table(60).rows[:MOST_SHORT_ROWS]
    assert parameters.rows[MOST_SHORT_ROWS:] == [["32 more rows are in the whole report"]]


def test_alt_texts_say_what_a_figure_shows():
    assert illustrated("a", "Traces", "They should overlap: the worst R-hat is 1.01.").alt == (
        "Traces: the worst R-hat is 1.01."
    )
    assert illustrated("a", "Data", "A curve, <b>, without finding.").alt == "Data: A curve, <b>, without finding."
    assert not isinstance(illustrated("a", "Data", "x").alt, Markup)
    assert all(title for title, _ in CAPTIONS.values())
