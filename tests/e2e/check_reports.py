#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's reports as their readers get them: each by its own rules, made again byte for byte, chosen, printed, and sent
to a collector over HTTP that refuses, is busy, or takes a part. The run's verdict is no matter here.

usage: check_reports.py SOURCE_DIR BLACKSTART [RUN_DIR]
BLACKSTART_FULL=yes in the environment also asks promtool, from a package that a lab unpacks.
"""
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

source, program = sys.argv[1:3]
sys.path.insert(0, f"{source}/tests/unit/reports")
sys.dont_write_bytecode = True
import reports_rules  # noqa: E402

FILES = {"json": "result.json", "text": "report.txt", "markdown": "summary.md", "junit": "junit.xml",
         "metrics": "metrics.txt", "trace": "trace.json", "grafana": "annotations.json", "ctk": "journal-ctk.json"}


def blackstart(*args, env=None):
    return subprocess.run([program, *args], capture_output=True, cwd=source, env={**os.environ, **(env or {})})


def contents(folder):
    return {name: open(f"{folder}/{name}", "rb").read() for name in os.listdir(folder)
            if os.path.isfile(f"{folder}/{name}")}


def run_on_a_terminal(out, *args, shows):
    """What a person sees of a run: its output has a line that is written over while it waits."""
    ours, theirs = os.openpty()
    child = subprocess.Popen([program, "run", "--store", "", "--out", out, *args], cwd=source,
                             stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.STDOUT,
                             env={**os.environ, "TERM": "xterm", "NO_COLOR": ""})
    os.close(theirs)
    shown = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # EIO: the last one closed it
            break
        if not more:
            break
        shown += more
    os.close(ours)
    assert child.wait() in (0, 1, 3), shown
    text = shown.decode()
    verdict = json.loads(open(f"{out}/result.json").read())["verdict"]
    colour = {"pass": 32, "fail": 31}.get(verdict, 33)
    assert f"\x1b[{colour}m{verdict}\x1b[0m: " in text, text
    if '"ev":"steady","held":true' in open(f"{out}/journal.ndjson").read().replace(", ", ",").replace(": ", ":"):
        assert "\r\x1b[K" in text and shows in text, text


def check_files(out):
    rules = reports_rules.Rules(source)
    files = contents(out)
    verdict = json.loads(files["result.json"])["verdict"]
    for name, file in FILES.items():
        assert rules.check(name, files[file], verdict), name
    schema = f"{source}/tests/unit/reports/junit.xsd"
    subprocess.run(["xmllint", "--noout", "--schema", schema, f"{out}/junit.xml"], check=True, capture_output=True)


def check_made_again(out):
    before = contents(out)
    status = json.loads(before["result.json"])["exit"]
    for file in FILES.values():
        os.unlink(f"{out}/{file}")
    assert blackstart("report", "--store", "", out).returncode == status
    after = contents(out)
    assert before == after, [n for n in before if before[n] != after.get(n)]
    for name, file in FILES.items():
        done = blackstart("report", "--store", "", "--report", name, "--stdout", out)
        assert done.stdout == before[file] and done.returncode == status, name
    os.unlink(f"{out}/summary.md")
    os.unlink(f"{out}/junit.xml")
    blackstart("report", "--store", "", "--report", "junit", out)
    assert os.path.exists(f"{out}/junit.xml") and not os.path.exists(f"{out}/summary.md")
    done = blackstart("report", "--store", "", "--report", "junt", out)
    assert done.returncode == 2 and b'did you mean "junit"?' in done.stderr, done.stderr


class Collector(http.server.BaseHTTPRequestHandler):
    """Answers as `script` says, one after the other; the last one again and again."""
    script, seen = [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).seen.append((self.path, dict(self.headers), body))
        status, answer = self.script[min(len(self.seen), len(self.script)) - 1]
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def sent(url, out, script, *args, env=None):
    """What blackstart said, and what the collector saw."""
    Collector.script, Collector.seen = script, []
    done = blackstart("send", *args, url, out, env=env)
    return done, Collector.seen


def check_sent(out):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    verdict = json.loads(open(f"{out}/result.json").read())["verdict"]
    trace = open(f"{out}/trace.json", "rb").read()

    done, seen = sent(url, out, [(200, b"{}")], "--otlp", env={"OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a,x-other=b=c"})
    assert done.returncode == 0 and len(seen) == 1, done
    path, headers, body = seen[0]
    assert path == "/v1/traces" and headers["Content-Type"] == "application/json"
    assert headers["x-tenant"] == "a" and headers["x-other"] == "b=c"
    assert body == trace
    reports_rules.check_otlp(json.loads(body), verdict)

    done, seen = sent(url + "/v1/traces/", out, [(503, b"busy"), (200, b"")], "--otlp")
    assert done.returncode == 0 and [s[0] for s in seen] == ["/v1/traces"] * 2
    done, seen = sent(url, out, [(503, b"busy")], "--otlp")
    assert done.returncode == 3 and len(seen) == 2 and b"answered HTTP 503: busy" in done.stderr, done.stderr
    done, seen = sent(url, out, [(400, b"no\x1b[31m")], "--otlp")
    assert done.returncode == 3 and len(seen) == 1 and b"HTTP 400: no?[31m" in done.stderr, done.stderr
    part = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
    done, seen = sent(url, out, [(200, part)], "--otlp")
    assert done.returncode == 3 and b"not 2 spans of it: too old" in done.stderr, done.stderr

    done, seen = sent(url, out, [(200, b"{}")], "--grafana", env={"GRAFANA_TOKEN": "secret"})
    bodies = json.loads(open(f"{out}/annotations.json").read())
    assert done.returncode == 0 and [json.loads(s[2]) for s in seen] == bodies, done
    assert all(s[0] == "/api/annotations" and s[1]["Authorization"] == "Bearer secret" for s in seen)
    assert b"secret" not in done.stdout + done.stderr
    done, seen = sent(url, out, [(200, b"{}"), (401, b"no")], "--grafana", env={"GRAFANA_TOKEN": "secret"})
    assert done.returncode == 3 and b"is the token right?" in done.stderr, done.stderr
    done, seen = sent(url, out, [(200, b"{}")], "--grafana", env={"GRAFANA_TOKEN": ""})
    assert done.returncode == 2 and not seen and b"GRAFANA_TOKEN" in done.stderr
    done, seen = sent(url, out, [(200, b"{}")], "--grafana", env={"GRAFANA_TOKEN": "a\r\nX: b"})
    assert done.returncode == 2 and not seen
    server.shutdown()
    server.server_close()
    done, _ = sent(url, out, [], "--otlp")
    assert done.returncode == 3 and b"127.0.0.1" in done.stderr, done.stderr
    for bad in ("file:///etc/passwd", "gopher://127.0.0.1", ""):
        done, _ = sent(bad, out, [], "--otlp")
        assert done.returncode == 2, (bad, done)
    assert blackstart("send", out).returncode == 2


def check_promtool(out):
    name = f"promtool-{os.getpid()}"
    up = blackstart("lab", "up", "--for", "5m", "--name", name, "tests/e2e/promtool.yaml")
    assert up.returncode == 0, up.stderr
    try:
        def promtool(text):
            return subprocess.run([program, "lab", "exec", "--name", name, "n1", "--", "promtool", "check", "metrics"],
                                  input=text, capture_output=True)
        text = open(f"{out}/metrics.txt", "rb").read()
        done = promtool(text)
        assert done.returncode == 0 and done.stdout + done.stderr == b"", done
        assert promtool(text.replace(b'{scenario="', b'{scenario=')).returncode != 0
        print("note: promtool finds nothing in metrics.txt")
    finally:
        blackstart("lab", "down", "--name", name)


def main():
    folder = tempfile.mkdtemp(prefix="blackstart-reports-")
    try:
        out = f"{folder}/out"
        if len(sys.argv) > 3:
            shutil.copytree(sys.argv[3], out)
            blackstart("report", "--store", "", out)
        else:
            run_on_a_terminal(out, "--set", "length=3s", "tests/e2e/small.yaml",
                              shows="... the fault is on for ")
            run_on_a_terminal(f"{out}-killed", "tests/e2e/killed.yaml",
                              shows="... process.kill was 1 s ago, and counts as over in ")
        check_files(out)
        check_made_again(out)
        blackstart("report", "--store", "", out)
        check_sent(out)
        if os.environ.get("BLACKSTART_FULL") == "yes":
            check_promtool(out)
    finally:
        shutil.rmtree(folder)


main()
