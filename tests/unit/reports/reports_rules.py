# SPDX-License-Identifier: GPL-2.0-or-later
"""What each report's readers ask of it, by parsers that are not ours. A rule that is broken raises AssertionError."""
import copy
import json
import re
import xml.etree.ElementTree as ElementTree

import jsonschema
from prometheus_client.openmetrics.parser import text_string_to_metric_families

VERDICTS = {"pass", "fail", "inconclusive", "invalid", "not judged"}


def closed(schema):
    """The schema with every object closed: a field that result.json has and the schema has not is then found."""
    schema = copy.deepcopy(schema)
    for part in [schema, *schema["definitions"].values()]:
        part["additionalProperties"] = False
    return schema


class Rules:
    def __init__(self, source):
        with open(f"{source}/docs/result-schema.json") as f:
            schema = json.load(f)
        jsonschema.Draft7Validator.check_schema(schema)
        self.validator = jsonschema.Draft7Validator(closed(schema))

    def check(self, name, data, verdict):
        """data: the file's bytes. Unknown renderers are read as text alone."""
        text = data.decode("utf-8")  # all are UTF-8
        rule = getattr(self, name, None)
        if rule is not None:
            rule(text, verdict)
        return rule is not None

    def json(self, text, verdict):
        result = json.loads(text)
        errors = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in self.validator.iter_errors(result)]
        assert not errors, "; ".join(errors[:3]) + " (rows of reports/result_fields.c)"
        assert result["verdict"] == verdict

    def text(self, text, verdict):
        assert text.startswith(verdict + ": ")
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), "control characters"

    def junit(self, text, verdict):
        root = ElementTree.fromstring(text)
        cases = root.findall("testsuite/testcase")
        names = [c.get("name") for c in cases]
        assert len(set(names)) == len(names), "names are not unique"
        counts = {kind: len(root.findall(f"testsuite/testcase/{kind}")) for kind in ("failure", "error", "skipped")}
        for suite in root.findall("testsuite") + [root]:
            assert int(suite.get("tests")) == len(cases)
            assert int(suite.get("failures")) == counts["failure"]
            assert int(suite.get("errors")) == counts["error"]
        assert int(root.find("testsuite").get("skipped")) == counts["skipped"]
        for case in root.findall("testsuite/testcase/*"):
            assert case.get("message") is not None and case.get("type") in VERDICTS
        kind = {"fail": "failure", "invalid": "error", "inconclusive": "skipped"}.get(verdict)
        assert kind is None or counts[kind] > 0, f"a run that is {verdict} has no {kind}"
        assert verdict != "pass" or counts["failure"] == 0
        properties = {p.get("name") for p in root.findall("testsuite/properties/property")}
        assert {"run", "seed", "scenario.sha256", "verdict"} <= properties

    def markdown(self, text, verdict):
        assert len(text.encode()) < 1 << 20
        assert text.startswith("## ") and f" {verdict}: " in text.split("\n")[0]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), "control characters"
        columns = None
        for line in text.split("\n"):
            if not line.startswith("|"):
                columns = None
                continue
            cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1
            assert columns in (None, cells), f"a row of {cells} in a table of {columns}: {line}"
            columns = cells
        assert not re.search(r"(?<!\\)<", re.sub(r"`[^`\n]*`", "", text)), "HTML"

    def metrics(self, text, verdict):
        families = list(text_string_to_metric_families(text))
        seen = set()
        for family in families:
            assert family.name.startswith("blackstart_") and family.type == "gauge" and family.documentation
            assert family.unit == "" or family.name.endswith("_" + family.unit)
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                assert key not in seen, f"twice: {key}"
                seen.add(key)
        assert text.endswith("\n# EOF\n")
        words = [s for f in families if f.name == "blackstart_run_verdict" for s in f.samples]
        assert {s.labels["verdict"]: s.value for s in words} == {v: float(v == verdict) for v in VERDICTS}

    def trace(self, text, verdict):
        check_otlp(json.loads(text), verdict)

    def grafana(self, text, verdict):
        bodies = json.loads(text)
        assert 0 < len(bodies) <= 1000
        for body in bodies:
            assert set(body) == {"time", "timeEnd", "tags", "text"}
            assert type(body["time"]) is int and type(body["timeEnd"]) is int
            assert 0 <= body["time"] <= body["timeEnd"]
            assert isinstance(body["text"], str) and body["text"]
            assert all(isinstance(tag, str) for tag in body["tags"]) and body["tags"][0] == "blackstart"
        assert f"verdict:{verdict}" in bodies[0]["tags"]

    def ctk(self, text, verdict):
        journal = json.loads(text)
        assert {"chaoslib-version", "platform", "node", "experiment", "start", "status", "deviated", "steady_states",
                "run", "rollbacks", "end", "duration"} <= set(journal)
        assert journal["status"] in {"completed", "failed", "aborted", "interrupted"}
        assert journal["deviated"] is (verdict == "fail")
        experiment = journal["experiment"]
        assert experiment["title"] is not None and isinstance(experiment["method"], list)
        assert set(journal["steady_states"]) == {"before", "after", "during"}
        probes = [p for when in ("before", "after") for p in journal["steady_states"][when]["probes"]]
        for one in probes + journal["run"] + journal["rollbacks"]:
            assert {"activity", "output", "status", "start", "end", "duration"} <= set(one)
            assert one["status"] in {"succeeded", "failed"} and one["duration"] >= 0
            assert one["activity"]["type"] in {"probe", "action"}
            assert {"name", "provider"} <= set(one["activity"])
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", one["start"])
        assert all(isinstance(p["tolerance_met"], bool) for p in probes)


def check_value(value):
    assert len(value) == 1
    kind, content = next(iter(value.items()))
    types = {"stringValue": str, "boolValue": bool, "doubleValue": (int, float), "intValue": str}
    assert kind in types and isinstance(content, types[kind]), f"{kind}: {content!r}"
    if kind == "intValue":
        assert -2**63 <= int(content) < 2**63


def check_attributes(attributes):
    keys = [a["key"] for a in attributes]
    assert all(keys) and len(set(keys)) == len(keys), f"keys are empty or not unique: {keys}"
    for attribute in attributes:
        assert set(attribute) == {"key", "value"}
        check_value(attribute["value"])


def check_nanos(text):
    assert isinstance(text, str) and re.fullmatch(r"\d{1,20}", text) and int(text) < 2**64
    return int(text)


def check_span(span):
    assert re.fullmatch(r"[0-9a-f]{32}", span["traceId"]) and int(span["traceId"], 16)
    assert re.fullmatch(r"[0-9a-f]{16}", span["spanId"]) and int(span["spanId"], 16)
    assert set(span) <= {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
                         "attributes", "events", "status", "droppedEventsCount"}
    assert isinstance(span["name"], str)
    assert type(span["kind"]) is int and 0 <= span["kind"] <= 5
    assert check_nanos(span["startTimeUnixNano"]) <= check_nanos(span["endTimeUnixNano"])
    check_attributes(span["attributes"])
    assert type(span["status"]["code"]) is int and 0 <= span["status"]["code"] <= 2
    assert set(span["status"]) <= {"code", "message"}
    assert len(span["events"]) <= 128
    for event in span["events"]:
        assert set(event) == {"timeUnixNano", "name", "attributes"}
        check_nanos(event["timeUnixNano"])
        check_attributes(event["attributes"])


def check_otlp(body, verdict):
    """The protocol's JSON rules: camelCase names, hexadecimal ids, 64-bit numbers as strings, enums as numbers."""
    assert set(body) == {"resourceSpans"}
    for resource in body["resourceSpans"]:
        assert set(resource) == {"resource", "scopeSpans"}
        check_attributes(resource["resource"]["attributes"])
        assert "service.name" in [a["key"] for a in resource["resource"]["attributes"]]
        for scope in resource["scopeSpans"]:
            assert scope["scope"]["name"]
            spans = scope["spans"]
            for span in spans:
                check_span(span)
            ids = {s["spanId"] for s in spans}
            roots = [s for s in spans if "parentSpanId" not in s]
            assert len(ids) == len(spans), "ids are not unique"
            assert len({s["traceId"] for s in spans}) == 1 and len(roots) == 1
            assert all(s["parentSpanId"] in ids for s in spans if "parentSpanId" in s)
            told = {a["key"]: a["value"] for a in roots[0]["attributes"]}
            assert told["blackstart.verdict"] == {"stringValue": verdict}
