#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the renderers make of runs of every kind, of runs whose texts are hostile and of one of 10,000 trials, by the
rules of those who read it.

usage: check_reports.py SOURCE_DIR RENDER [HOSTILE [TRIALS]]
BLACKSTART_FULL=yes in the environment asks for more of them, and for the 10,000 trials.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
import reports_rules  # noqa: E402


def lines(program, hostile, trials):
    with subprocess.Popen([program, hostile, trials], stdout=subprocess.PIPE) as child:
        for line in child.stdout:
            if line.startswith(b"{"):
                yield json.loads(line)
    if child.returncode != 0:
        sys.exit(f"{program} ended with {child.returncode}")


def main():
    source, program = sys.argv[1:3]
    usual = ["400", "10000"] if os.environ.get("BLACKSTART_FULL") == "yes" else ["25", "0"]
    hostile, trials = sys.argv[3:] + usual[len(sys.argv) - 3:]
    rules = reports_rules.Rules(source)
    failed = n = 0
    sizes = {}
    with tempfile.TemporaryDirectory() as folder:
        xml = []
        for one in lines(program, hostile, trials):
            data = bytes.fromhex(one["hex"])
            many = one["story"] == "many trials"
            if many:
                sizes[one["name"]] = len(data)
            # The parsers of others take seconds for what is large; its rules are those of the small ones.
            if many and one["name"] != "markdown":
                continue
            n += 1
            try:
                rules.check(one["name"], data, one["verdict"])
            except Exception as error:
                failed += 1
                if failed <= 10:
                    print(f"{one['story']}, {one['name']}: {type(error).__name__}: {str(error)[:400]}")
            if one["name"] == "junit":
                xml.append(f"{folder}/{len(xml)}.xml")
                with open(xml[-1], "wb") as f:
                    f.write(data)
        schema = f"{source}/tests/unit/reports/junit.xsd"
        done = subprocess.run(["xmllint", "--noout", "--schema", schema, *xml], capture_output=True, text=True)
        if done.returncode != 0:
            failed += 1
            print("\n".join(l for l in done.stderr.splitlines() if not l.endswith("validates"))[:2000])
    print(f"{n} reports read, {failed} wrong")
    if sizes:
        print(f"figure: of {trials} trials: "
              + ", ".join(f"{name} {size >> 10} KiB" for name, size in sizes.items()))
    sys.exit(failed != 0 or n < 100)


main()
