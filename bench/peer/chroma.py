"""A ChromaDB with a tenant for each organisation, as one process keeps it: filled, and searched in turn.

What fails for one tenant is counted and told, and the others go on; what takes too long ends where it is. So there is always a result, and
it says of how many tenants it is.
"""

import json
import random
import re
import sys
import time

import chromadb
import numpy
from chromadb.config import Settings

DIMENSIONS = 384
FILL_SECONDS = 120
SEARCH_SECONDS = 60


def settings(data):
    return Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=data)


def directions(count, seed):
    """Unit vectors that point anywhere, evenly."""
    vectors = numpy.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype("float32")
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def client(data, tenant):
    return chromadb.PersistentClient(path=data, settings=settings(data), tenant=tenant, database="knowledge")


class Failures:
    """How often something failed, and how it did at first."""

    def __init__(self):
        self.count, self.first = 0, None

    def note(self, error):
        self.count += 1
        self.first = self.first or f"{type(error).__name__}: {error}"


def fill(data, tenants, passages):
    chance = random.Random(4)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    admin = chromadb.AdminClient(settings(data))
    filled, failures, began = [], Failures(), time.perf_counter()
    for n in range(tenants):
        if time.perf_counter() - began > FILL_SECONDS:
            break
        texts = [" ".join(chance.choices(words, k=130)) for _ in range(passages)]
        try:
            admin.create_tenant(f"tenant{n}")
            admin.create_database("knowledge", f"tenant{n}")
            collection = client(data, f"tenant{n}").create_collection("handbook", embedding_function=None)
            collection.add(ids=[str(i) for i in range(passages)], embeddings=directions(passages, n), documents=texts)
            filled.append(n)
        except Exception as error:  # whatever it is, it is part of the result
            failures.note(error)
    took = time.perf_counter() - began
    print(json.dumps({"fill_s": took, "filled": filled, "failed": failures.count, "error": failures.first}))


def search(data, rounds, made):
    failures, collections = Failures(), []
    for n in made["filled"]:
        try:
            collections.append(client(data, f"tenant{n}").get_collection("handbook", embedding_function=None))
        except Exception as error:
            failures.note(error)
    took, began = [], time.perf_counter()
    for turn in range(rounds):
        for collection, query in zip(collections, directions(len(collections), 10_000 + turn)):
            if time.perf_counter() - began > SEARCH_SECONDS:
                break
            before = time.perf_counter()
            try:
                found = collection.query(query_embeddings=[query], n_results=10, include=["documents", "distances"])
                assert len(found["ids"][0]) == 10, "not ten passages"
                took.append((time.perf_counter() - before) * 1000)
            except Exception as error:
                failures.note(error)
    took.sort()
    with open("/proc/self/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) / 1024
    share = lambda part: took[min(int(len(took) * part), len(took) - 1)] if took else None
    figures = {
        "tenants": len(made["filled"]),
        "fill_s": made["fill_s"],
        "searches": len(took),
        "p50_ms": share(0.5),
        "p99_ms": share(0.99),
        "resident_mib": resident,
        "failed": made["failed"] + failures.count,
        "error": made["error"] or failures.first,
    }
    print(json.dumps(figures))


if sys.argv[1] == "fill":
    fill(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    search(sys.argv[2], int(sys.argv[3]), json.load(sys.stdin))
