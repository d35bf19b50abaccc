"""What a type checker refuses, a line each; nothing of it is run."""

from onepass import Extractor
from onepass.batch import Job, ModelChoice
from onepass.client import Client
from onepass.models.choosing import Wanted

ASKED = {"entities": ["person"]}


def wrong(model: Extractor, client: Client) -> None:
    model.extract("a", 17)  # refused
    model.extract(b"a", ASKED)  # refused
    model.extract("a", int)  # refused
    model.extract("a", ASKED, overlap="nestd")  # refused
    model.extract("a", ASKED, on_long="windo")  # refused
    model.extract("a", ASKED, solver="exakt")  # refused
    model.extract("a", ASKED, threshold={"person": "0.5"})  # refused
    model.stream(["a"], ASKED, overlap="nestd")  # refused
    model.entities("a", 5)  # refused
    model.entities(["a"], ["person"])  # refused
    model.classify("a", None)  # refused
    model.relations("a", 3.2)  # refused
    model.records("a", {"room": 7})  # refused
    model.encode_labels(4)  # refused
    Extractor(backend="onx")  # refused
    Extractor.from_pretrained("builtin", precision="int9")  # refused
    client.extract("a", 17)  # refused
    client.extract("a", ASKED, overlap="nestd")  # refused
    client.extract_batch(["a"], ASKED, on_long="windo")  # refused
    client.extract("a", ASKED, solver="exakt")  # refused
    Job(input="a.csv", output="b.csv", schema=ASKED, solver="exakt")  # refused
    Job(input="a.csv", output="b.csv", schema=ASKED, text_unit="page")  # refused
    Job(input="a.csv", output="b.csv", schema=ASKED, engine="dask")  # refused
    Job(input="a.csv", output="b.csv", schema=ASKED, format="xlsx")  # refused
    ModelChoice(backend="onx")  # refused
    Wanted(precision="int9")  # refused
