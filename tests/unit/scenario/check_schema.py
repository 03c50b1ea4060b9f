#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped scenarios, read by another YAML reader, against scenarios/schema.json, by an
independent validator. Wrong ones must be refused: a schema that takes all would prove nothing.

usage: check_schema.py SOURCE_DIR BLACKSTART
"""
import glob
import json
import re
import subprocess
import sys

import jsonschema
import yaml

# Mistakes of the corpus that a schema can see, too.
REFUSED = """
    fault-enum fault-hosts-missing fault-parameter-missing fault-parameter-unknown fault-unknown guard
    lab-host-key lab-list lab-no-hosts lab-service-ready parallel probe-expect probe-kind-missing
    probe-kind-unknown probe-parameter-missing probe-parameter-range probe-parameter-unknown role-every
    select-share select-two-ways select-way step-empty step-kind-unknown step-none step-two-in-one
    target-from target-map target-signal target-two-in-one target-unknown top-lab-and-inventory top-no-lab
    top-nothing-but-version top-probes-list top-trials-zero top-unknown-key top-version-missing
    top-version-other until-is until-missing value-bare-duration value-duration-unit value-list-for-text
    value-map-for-text value-share value-size vars-list flap-nonsense waves-nonsense outage-wrong variant-unknown
    symptom
""".split()



class Reader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: of the words only true and false are truth values, so that
    `on` is a key like any other."""


Reader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:bool"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")


def main():
    source, program = sys.argv[1:]
    with open(f"{source}/scenarios/schema.json") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failed = 0

    def check(name, text, right):
        nonlocal failed
        errors = list(validator.iter_errors(yaml.load(text, Reader)))
        if bool(errors) == right:
            failed += 1
            print(f"{name}: {'refused: ' + errors[0].message[:300] if right else 'taken, but wrong'}")

    shipped = glob.glob(f"{source}/scenarios/**/*.yaml", recursive=True)
    for name in shipped:
        with open(name) as f:
            check(name, f.read(), True)
    faults = json.loads(subprocess.check_output([program, "faults", "--json"]))
    for fault in faults:
        text = subprocess.check_output([program, "new", "--fault", fault["name"]])
        check(f"new --fault {fault['name']}", text, True)
    for name in REFUSED:
        with open(f"{source}/tests/unit/scenario/bad/{name}.yaml") as f:
            check(f"bad/{name}.yaml", f.read(), False)
    print(f"figure: {len(shipped) + len(faults)} scenarios taken and {len(REFUSED)} wrong ones refused "
          "by an independent validator of the schema")
    if len(shipped) < 2 or len(faults) < 2:
        failed += 1
        print("too few scenarios found")
    return failed != 0


sys.exit(main())
