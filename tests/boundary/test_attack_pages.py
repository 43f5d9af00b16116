"""Pages that show a stranger's words, in a browser: none runs code, loads anything, or is anything but text."""

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from markupsafe import Markup
from matplotlib.figure import Figure as Canvas

import bayesmix as bm
from bayesmix.drawing.style import plain
from bayesmix.report import blocks
from bayesmix.report.choice.page import write_choice
from bayesmix.report.figures import render as drawn
from bayesmix.report.index import write_index
from bayesmix.report.page import environment
from bayesmix.report.page import render as page_of
from browser import needs_browser, opened

MARK = "document.documentElement.setAttribute('data-owned','yes')"
HITS = "http://127.0.0.1:{port}/{number}"
PAYLOADS = (
    "<script>MARK</script>",
    '<img src=HIT onerror="MARK">',
    '<svg onload="MARK"><image href=HIT></svg>',
    "</style><script>MARK</script><style>",
    "</title><script>MARK</script>",
    '"><script>MARK</script>',
    '\'><img src=x onerror="MARK">',
    '<iframe srcdoc="<script>parent.MARK</script>"></iframe>',
    "<iframe src=HIT></iframe>",
    "<link rel=stylesheet href=HIT>",
    "<style>@import 'HIT'; body{background:url(HIT)}</style>",
    "<object data=HIT></object><embed src=HIT>",
    "<video src=HIT autoplay></video><audio src=HIT></audio>",
    "<base href=HIT>",
    '<form action=HIT id=f><input autofocus onfocus="MARK"></form>',
    "<math><mtext><script>MARK</script></mtext></math>",
    '<details open ontoggle="MARK">',
    "javascript:MARK",
    "{{ ''.__class__ }}{% raw %}",
    "<!-- --!><script>MARK</script> -->",
    "]]><script>MARK</script>",
)
LEAVES = '<meta http-equiv="refresh" content="0;url=HIT">'
"""It leaves the page; a policy for contents does not forbid that, so that nothing but escaping does."""


class Server:
    """What was asked of an address, from whom."""

    def __init__(self):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def payloads(self, *, leaves=True):
        """The attacks, with what they ask for at this address."""
        all_of_them = [*PAYLOADS, *([LEAVES] if leaves else [])]
        hit = HITS.format(port=self.server.server_address[1], number="{}")
        return [p.replace("MARK", MARK).replace("HIT", hit.format(i)) for i, p in enumerate(all_of_them)]


@pytest.fixture
def server():
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def every_block(words, picture):
    """A section with every kind of block, all of whose texts are these words."""
    made = [
        blocks.Paragraph(words),
        blocks.Heading(words),
        blocks.Bullets([words]),
        blocks.Terms([(words, words)]),
        blocks.Cards([(words, words, "bad")]),
        blocks.Notice("bad", words, words, [words]),
        blocks.Table([words, words], [[words], [words, words]], [False, True], words),
        blocks.Figure(picture, words, words),
        blocks.Drawing(Markup("<svg></svg>"), words),
        blocks.Formulas([(words, Markup("<math></math>"))]),
        blocks.Code(words),
    ]
    kinds = blocks.Block.__value__.__args__
    assert {type(block) for block in made} == set(kinds)
    return blocks.Section("section", words, made)


def hostile_page(payloads):
    """A page of the report's template."""
    figure = Canvas(figsize=(2, 1))
    figure.text(0, 0.5, plain(payloads[0]))
    model = {"name": payloads[1], "title": payloads[4], "family": payloads[2], "n_components": 2, "n": 3}
    summary = {"model": model, "versions": {"bayesmix": payloads[3]}, "date": payloads[5]}
    return page_of([every_block(words, "figure") for words in payloads], {"figure": drawn(figure)}, summary)


def hostile_choice(payloads, folder):
    """The page of a choice among mixtures whose columns and classes are called so."""
    frame = pd.DataFrame({words: [1.0, 2.0, 3.0, 11.0, 12.0, 13.5, 2.5, 12.2] for words in payloads[:2]})
    frame[payloads[1]] = frame[payloads[1]] ** 1.5
    labels = [payloads[2], None, None, payloads[3], None, None, None, None]
    spec, data = bm.Mixture("gaussian", n_components=2, covariance="diag"), bm.Data(frame, labels)
    choice = bm.choose(spec, data, n_components=(2, 3), mode="em", folds=0, n_starts=2, progress=False)
    return write_choice(choice, folder / "choice", title=payloads[4], command=payloads[0])


def hostile_index(payloads, folder):
    """The gallery's page over a report of a stranger, in a folder whose name is an address of code."""
    place = folder / "index" / f"javascript:{MARK}"
    (place / "figures").mkdir(parents=True)
    (place / "figures" / "thumbnail.png").write_bytes(payloads[0].encode())
    model = {"name": payloads[0], "title": payloads[1], "family": payloads[2], "n_components": 2, "n": 3}
    verdict = {"trusted": True, "cautions": []}
    numbers = {"posterior": {"max_r_hat": 1.0, "min_ess_bulk": 9.0}, "em": {"log_likelihood": -1.0}}
    (place / "summary.json").write_text(json.dumps({"model": model, "verdict": verdict} | numbers))
    return write_index(folder / "index")


@needs_browser
def test_pages_run_nothing_and_ask_for_nothing(server, tmp_path):
    payloads = server.payloads()
    report = tmp_path / "report.html"
    report.write_text(hostile_page(payloads), encoding="utf-8")
    pages = [report, hostile_choice(payloads, tmp_path), hostile_index(payloads, tmp_path)]
    for path in pages:
        dom = opened(path, tmp_path)
        assert "data-owned" not in dom.split(">", 2)[1], path
        assert 'href="javascript:' not in dom
        assert "<script" not in dom
        assert html.escape(payloads[0], quote=False) in dom  # it is there, as text
    assert server.asked == []


@needs_browser
def test_the_policy_alone_would_do(server, tmp_path):
    """The same words as HTML run and ask; under the policy of our pages they do neither."""
    policy = (
        environment()
        .get_template("report.html.j2")
        .render(title="t", subtitle="", css="", sections=[], pictures={}, version="", date="")
    )
    (line,) = [line for line in policy.splitlines() if "Content-Security-Policy" in line]
    bare = tmp_path / "bare.html"
    bare.write_text(f"<!DOCTYPE html><html><head></head><body>{' '.join(server.payloads(leaves=False))}")
    assert "data-owned" in opened(bare, tmp_path).split(">", 2)[1]
    assert len(server.asked) >= 3
    server.asked.clear()
    guarded = tmp_path / "guarded.html"
    guarded.write_text(bare.read_text().replace("<head>", f"<head>{line}"))
    assert "data-owned" not in opened(guarded, tmp_path).split(">", 2)[1]
    assert server.asked == []


def test_tables_of_a_choice_hold_no_formula(tmp_path):
    """Names of candidates are ours, but what stands in a cell is disarmed whoever wrote it."""
    spec, data = bm.Mixture("gaussian", n_components=1), bm.Data([1.0, 2.0, 3.0, 11.0, 12.0, 13.0])
    choice = bm.choose(spec, data, n_components=(1, 2), mode="em", folds=0, n_starts=2, progress=False)
    choice.table["kind"] = "=1+1"
    write_choice(choice, tmp_path)
    assert set(pd.read_csv(tmp_path / "table.csv")["kind"]) == {"'=1+1"}


@pytest.mark.parametrize("words", ["abc\u202efed", "a\x1b[2Jb", "\x00x"])
def test_signs_that_turn_or_command_are_written_out(words):
    page = hostile_page([words] * 6)
    assert words not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "\x00" not in page
