"""Reads every table of a databank with the tools that researchers use, and compares the numbers.

    read.py http://127.0.0.1:8080/api/v2

Each tool is used as its own documentation says. A cell is named by the codes of its dimensions, so
that an order or a label cannot hide a difference.
"""

import io
import itertools
import sys
from urllib.parse import quote

import pandas
import requests
from pxstatspy import OutputFormatParam, PxAPI, PxAPIConfig
from pxweb import PxApi
from pyjstat import pyjstat

BASE = sys.argv[1].rstrip("/")
LANGUAGES = ("nb", "nn", "en")
MARKS = [":", "..", "."]


def number(value):
    """A number, or None for a cell without one."""
    return None if value is None or pandas.isna(value) else float(value)


def with_pxwebpy(table, metadata, language):
    api = PxApi(BASE, language=language, disable_cache=True, max_workers=1)
    rows = api.get_table_data_all(table, show="code")
    labels = [metadata["dimension"][code]["label"] for code in metadata["id"]]
    return {tuple(row[label] for label in labels): number(row["value"]) for row in rows}


def with_pxstatspy(table, metadata, language):
    api = PxAPI(PxAPIConfig(base_url=BASE, language=language))
    frame = api.get_data_as_dataframe(
        table_id=table,
        value_codes={code: ["*"] for code in metadata["id"]},
        output_format_param=OutputFormatParam.USE_CODES,
    )
    contents = list(metadata["dimension"]["ContentsCode"]["category"]["index"])
    columns = [
        "region_code" if code == "Region" else metadata["dimension"][code]["label"]
        for code in metadata["id"]
        if code != "ContentsCode"
    ]
    place = metadata["id"].index("ContentsCode")
    cells = {}
    for row in frame.to_dict("records"):
        codes = [row[column] for column in columns]
        for measure in contents:
            cells[tuple(codes[:place] + [measure] + codes[place:])] = number(row[measure])
    return cells


def parts(metadata, most):
    """Selections of a whole table, each within the number of cells that one answer has."""
    codes = {code: list(metadata["dimension"][code]["category"]["index"]) for code in metadata["id"]}
    split, cells = [], 1
    for code in reversed(metadata["id"]):
        cells *= len(codes[code])
        if cells > most:
            split.append(code)
            cells //= len(codes[code])
    for chosen in itertools.product(*(codes[code] for code in split)):
        one = dict(zip(split, chosen))
        yield {code: one.get(code, "*") for code in metadata["id"]}


def addresses(table, metadata, language, most, rest=""):
    for part in parts(metadata, most):
        query = "&".join(f"valuecodes[{code}]={quote(value)}" for code, value in part.items())
        yield f"{BASE}/tables/{table}/data?lang={language}&{query}{rest}"


def with_pyjstat(table, metadata, language, most):
    cells = {}
    for address in addresses(table, metadata, language, most):
        frame = pyjstat.Dataset.read(address).write("dataframe", naming="id")
        for row in frame.to_dict("records"):
            cells[tuple(row[code] for code in metadata["id"])] = number(row["value"])
    return cells


def from_frame(frame, metadata):
    contents = list(metadata["dimension"]["ContentsCode"]["category"]["index"])
    cells = {}
    for row in frame.to_dict("records"):
        for measure in contents:
            if measure in row:
                key = tuple(measure if code == "ContentsCode" else row[code] for code in metadata["id"])
                cells[key] = number(row[measure])
    return cells


def with_csv(table, metadata, language, most):
    rest = "&outputFormat=csv&outputFormatParams=UseCodes&heading=ContentsCode"
    others = {code: str for code in metadata["id"] if code != "ContentsCode"}
    cells = {}
    for address in addresses(table, metadata, language, most, rest):
        frame = pandas.read_csv(address, dtype=others, na_values=MARKS, keep_default_na=False)
        cells.update(from_frame(frame, metadata))
    return cells


def with_parquet(table, metadata, language, most):
    cells = {}
    for address in addresses(table, metadata, language, most, "&outputFormat=parquet"):
        answer = requests.get(address, timeout=60)
        answer.raise_for_status()
        frame = pandas.read_parquet(io.BytesIO(answer.content))
        frame = frame.rename(columns=lambda name: name.removeprefix("ContentsCode_"))
        cells.update(from_frame(frame, metadata))
    return cells


def compare(table, language, name, expected, found):
    if found.keys() != expected.keys():
        odd = sorted(found.keys() ^ expected.keys())[:5]
        raise SystemExit(f"{table} {language}: {name} has other cells: {odd}")
    for codes, value in expected.items():
        if found[codes] != value:
            raise SystemExit(f"{table} {language}: {name} reads {found[codes]} at {codes}, not {value}")


def main():
    config = requests.get(f"{BASE}/config", timeout=60).json()
    most = config["maxDataCells"]
    tables = [table["id"] for table in PxApi(BASE, disable_cache=True).all_tables()]
    if not tables:
        raise SystemExit("there is no table")
    for table, language in itertools.product(tables, LANGUAGES):
        address = f"{BASE}/tables/{table}/metadata?lang={language}"
        metadata = requests.get(address, timeout=60).json()
        expected = with_pxwebpy(table, metadata, language)
        size = 1
        for length in metadata["size"]:
            size *= length
        if len(expected) != size:
            raise SystemExit(f"{table}: {len(expected)} cells instead of {size}")
        numbers = sum(value is not None for value in expected.values())
        if not numbers:
            raise SystemExit(f"{table}: no numbers at all")
        compare(table, language, "pxstatspy", expected, with_pxstatspy(table, metadata, language))
        compare(table, language, "pyjstat", expected, with_pyjstat(table, metadata, language, most))
        compare(table, language, "csv", expected, with_csv(table, metadata, language, most))
        compare(table, language, "parquet", expected, with_parquet(table, metadata, language, most))
        how = "in parts" if size > most else "whole"
        print(f"{table} {language}: {size} cells, {numbers} numbers, equal in all tools, {how}")


if __name__ == "__main__":
    main()
