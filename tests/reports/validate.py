"""Reads each report in a folder with the reader that its format has in the field, strictly:

    python validate.py FOLDER

`*.ocsf.json` and `*.ocsf-detection.json` with the OCSF models that Prowler uses, `*.asff.json` with botocore's model of
BatchImportFindings, `*.sarif.json` with SARIF's, `*.junit.xml` with junitparser, `*.json` with our own JSON Schema.
Prints what it read; exits with 1 and the reason if a reader refuses. Runs in the bed's virtual environment.
"""

import json
import sys
from pathlib import Path


def ocsf(text: str, model_name: str) -> int:
    from py_ocsf_models.events.findings import compliance_finding, detection_finding

    model = {"compliance": compliance_finding.ComplianceFinding, "detection": detection_finding.DetectionFinding}[model_name]
    findings = json.loads(text)
    for finding in findings:
        model.model_validate(finding)
    return len(findings)


def asff(text: str) -> int:
    import botocore.session
    from botocore.validate import ParamValidator

    findings = json.loads(text)
    service = botocore.session.get_session().get_service_model("securityhub")
    shape = service.operation_model("BatchImportFindings").input_shape
    for start in range(0, len(findings), 100):
        report = ParamValidator().validate({"Findings": findings[start : start + 100]}, shape)
        if report.has_errors():
            raise ValueError(report.generate_report())
    # What the model leaves to the service: required members, lengths.
    for finding in findings:
        for member in ("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "Types", "CreatedAt", "UpdatedAt",
                       "Severity", "Title", "Description", "Resources"):
            if not finding.get(member):
                raise ValueError(f"{member} is missing in {finding.get('Id')}")
    return len(findings)


def sarif(text: str) -> int:
    from sarif_pydantic import Sarif

    log = Sarif.model_validate_json(text)
    return sum(len(run.results or []) for run in log.runs)


def junit(path: Path) -> int:
    from junitparser import JUnitXml

    xml = JUnitXml.fromfile(str(path))
    said = xml.tests
    cases = [case for suite in xml for case in suite]
    if said != len(cases):
        raise ValueError(f"{said} tests said, {len(cases)} written")
    return len(cases)


def own(text: str) -> int:
    import jsonschema

    schema = json.loads((Path(__file__).parent / "scan.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(text)
    jsonschema.Draft202012Validator(schema).validate(document)
    return len(document["verdicts"]) if "verdicts" in document else sum(len(s["verdicts"]) for s in document["scans"])


def read(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    if path.name.endswith(".ocsf.json"):
        return ocsf(text, "compliance")
    if path.name.endswith(".ocsf-detection.json"):
        return ocsf(text, "detection")
    if path.name.endswith(".asff.json"):
        return asff(text)
    if path.name.endswith(".sarif.json") or path.suffix == ".sarif":
        return sarif(text)
    if path.suffix == ".xml":
        return junit(path)
    if path.suffix == ".json":
        return own(text)
    return -1


def main() -> int:
    failed = 0
    for path in sorted(Path(sys.argv[1]).iterdir()):
        try:
            count = read(path)
        except Exception as error:  # every reader has its own; all mean the same here
            print(f"{path.name}: {type(error).__name__}: {str(error)[:2000]}")
            failed = 1
            continue
        if count >= 0:
            print(f"{path.name}: {count}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
