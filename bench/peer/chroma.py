"""A ChromaDB with a tenant for each organisation, as one process keeps it: filled, and searched in turn."""

import json
import random
import re
import sys
import time

import chromadb
import numpy
from chromadb.config import Settings

DIMENSIONS = 384


def settings(data):
    return Settings(anonymized_telemetry=False, is_persistent=True, persist_directory=data)


def directions(count, seed):
    """Unit vectors that point anywhere, evenly."""
    vectors = numpy.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype("float32")
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def client(data, tenant):
    return chromadb.PersistentClient(path=data, settings=settings(data), tenant=tenant, database="knowledge")


def fill(data, tenants, passages):
    chance = random.Random(4)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    admin = chromadb.AdminClient(settings(data))
    began = time.perf_counter()
    for n in range(tenants):
        admin.create_tenant(f"tenant{n}")
        admin.create_database("knowledge", f"tenant{n}")
        collection = client(data, f"tenant{n}").create_collection("handbook", embedding_function=None)
        texts = [" ".join(chance.choices(words, k=130)) for _ in range(passages)]
        collection.add(ids=[str(i) for i in range(passages)], embeddings=directions(passages, n), documents=texts)
    print(time.perf_counter() - began)


def search(data, tenants, rounds, filled):
    collections = [client(data, f"tenant{n}").get_collection("handbook", embedding_function=None) for n in range(tenants)]
    took = []
    for turn in range(rounds):
        for collection, query in zip(collections, directions(tenants, 10_000 + turn)):
            began = time.perf_counter()
            found = collection.query(query_embeddings=[query], n_results=10, include=["documents", "distances"])
            took.append((time.perf_counter() - began) * 1000)
            assert len(found["ids"][0]) == 10
    took.sort()
    with open("/proc/self/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) / 1024
    share = lambda part: took[min(int(len(took) * part), len(took) - 1)]
    figures = {"fill_s": filled, "p50_ms": share(0.5), "p99_ms": share(0.99), "resident_mib": resident}
    print(json.dumps(figures))


if sys.argv[1] == "fill":
    fill(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    search(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
