# ===- deepspeed_page.py - A page's table beside what it describes ---------===#
#
# Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===----------------------------------------------------------------------===#
#
#   deepspeed_page.py PAGE IMPORTER
#
# For each field of the table the importer is given a configuration with it and
# one without it. What it then sets is what the row names; of a field that sets
# nothing it says what the row says. The fields of the lists in IMPORTER, the
# importer's source, are all in the table.

import json
import pathlib
import re
import subprocess
import sys

PAGE, IMPORTER = (pathlib.Path(path).read_text() for path in sys.argv[1:])

ADAM = {"optimizer": {"type": "AdamW", "params": {}}}
SGD = {"optimizer": {"type": "SGD", "params": {}}}
COSINE = {"scheduler": {"type": "WarmupCosineLR", "params": {}}}
LINEAR = {"scheduler": {"type": "WarmupLR", "params": {"warmup_type": "linear"}}}
FP16 = {"fp16": {"enabled": True}}
STAGE = {"zero_optimization": {"stage": 3}}

# Values that a field has in a configuration, and what stands there beside it; by
# default it is turned on.
SAMPLES = {
    "train_batch_size": [(64, {})],
    "train_micro_batch_size_per_gpu": [(4, {"train_batch_size": 64})],
    "gradient_accumulation_steps": [
        (4, {"train_batch_size": 64}),
        (4, {"train_micro_batch_size_per_gpu": 2}),
    ],
    "gradient_clipping": [(1.0, {})],
    "steps_per_print": [(10, {})],
    "optimizer.type": [(name, {}) for name in ("AdamW", "Adam", "SGD", "Lion", "OneBitAdam")],
    "optimizer.params.lr": [(3e-4, ADAM)],
    "optimizer.params.betas": [([0.8, 0.95], ADAM)],
    "optimizer.params.eps": [(1e-6, ADAM)],
    "optimizer.params.weight_decay": [(0.2, ADAM)],
    "optimizer.params.momentum": [(0.8, SGD)],
    "optimizer.params.nesterov": [(True, SGD)],
    "scheduler.type": [(name, {}) for name in ("WarmupLR", "WarmupCosineLR", "OneCycle")],
    "scheduler.params.warmup_max_lr": [(5e-4, LINEAR)],
    "scheduler.params.warmup_num_steps": [(7, COSINE)],
    "scheduler.params.total_num_steps": [(900, COSINE)],
    "scheduler.params.cos_min_ratio": [(0.1, ADAM | COSINE)],
    "fp16.initial_scale_power": [(12, FP16)],
    "fp16.loss_scale_window": [(500, FP16)],
    "fp16.hysteresis": [(3, FP16)],
    "fp16.min_loss_scale": [(2, FP16)],
    "fp16.auto_cast": [(True, FP16)],
    "fp16.consecutive_hysteresis": [(True, FP16)],
    "fp16.fp16_master_weights_and_grads": [(True, FP16)],
    "data_types.grad_accum_dtype": [("bf16", {"bf16": {"enabled": True}})],
    "zero_optimization.stage": [(2, {})],
    "zero_optimization.reduce_bucket_size": [(5e8, STAGE)],
    "zero_optimization.allgather_bucket_size": [(5e8, STAGE)],
    "zero_optimization.stage3_param_persistence_threshold": [(1e4, STAGE)],
    "zero_optimization.stage3_max_live_parameters": [(1e9, STAGE)],
    "zero_optimization.stage3_prefetch_bucket_size": [(0, STAGE), (5e8, STAGE)],
    "zero_optimization.offload_optimizer": [({"device": "nvme"}, STAGE)],
    "zero_optimization.zero_hpz_partition_size": [(2, STAGE)],
    "zero_optimization.mics_shard_size": [(2, STAGE)],
    "zero_optimization.offload_param": [({"device": "cpu"}, STAGE)],
    "gradient_predivide_factor": [(2.0, {})],
    "communication_data_type": [("fp16", {})],
    "seq_parallel_comm_data_type": [("fp16", {})],
}
# Sections that are turned on.
for section in (
    "flops_profiler comms_logger autotuning tensorboard csv_monitor elasticity amp "
    "curriculum_learning progressive_layer_drop eigenvalue data_efficiency wandb comet"
).split():
    SAMPLES[section] = [({"enabled": True}, {})]
for section in (
    "activation_checkpointing checkpoint compression_training pipeline tensor_parallel "
    "sparse_attention aio compile"
).split():
    SAMPLES[section] = [({"something": 1}, {})]

problems = []


def imported(config):
    """The settings of a configuration, and the lines that are said of it."""
    done = subprocess.run(
        ["tessera", "import-deepspeed", "-", "--world", "4"],
        input=json.dumps(config),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.removeprefix("--set ").split("=") for line in done.stdout.splitlines()]
    return {name: value for name, value in lines}, done.stderr.splitlines()


def with_field(config, path, value):
    config = json.loads(json.dumps(config))
    *sections, name = path.split(".")
    place = config
    for section in sections:
        place = place.setdefault(section, {})
    place[name] = value
    return config


def full_names(cell):
    """The names in a cell; one without a dot is a sibling of the one before it, but
    behind a semicolon."""
    names = []
    for part in cell.split(";"):
        prefix = ""
        for name in re.findall(r"`([a-z0-9_.]+)(?:=[A-Z0-9a-z]+)?`", part):
            name = name if "." in name else prefix + name
            prefix = name[: name.rfind(".") + 1]
            names.append(name)
    return names


def check(field, here, allowed):
    """What importing `field` does beside what its row says; the settings that it
    names."""
    found = set()
    said = []
    for value, beside in SAMPLES.get(field, [(True, STAGE if "zero_opt" in field else {})]):
        before, _ = imported(beside)
        after, lines = imported(with_field(beside, field, value))
        changed = {name for name in after | before if after.get(name) != before.get(name)}
        lines = [line for line in lines if f"`{field}" in line]
        found |= changed | {name for name in allowed for line in lines if name in line}
        said += lines
        if not changed <= set(allowed):
            problems.append(f"{field}: sets {sorted(changed - set(allowed))}, which its row does not name")
    if any("is not known here" in line for line in said):
        problems.append(f"{field}: is not known to the importer")
    if allowed and not found:
        problems.append(f"{field}: sets nothing of {allowed}")
    if here.startswith("no counterpart") and not all("has no counterpart" in line for line in said or [""]):
        problems.append(f"{field}: has a counterpart: {said}")
    if not allowed and not here.startswith("no counterpart"):
        if not said or not all(": note: " in line for line in said):
            problems.append(f"{field}: is not noted: {said}")
    return found


table = PAGE.split("## ds_config.json")[1].split("\n## ")[0]
rows = re.findall(r"^\| (`.*?) \| (.*) \|$", table, re.M)
listed = set()
for there, here in rows:
    fields = full_names(there)
    listed |= set(fields)
    allowed = [name for name in full_names(here) if name.startswith(("training.", "parallel."))]
    named = [name for name in re.findall(r"`([a-z0-9_.]+)", here) if name in allowed]
    found = set().union(*(check(field, here, allowed) for field in fields))
    if not set(named) <= found:
        problems.append(f"{there}: nothing sets {sorted(set(named) - found)}")
known = set(re.findall(r'^    \{"([a-z0-9_.]+)",', IMPORTER, re.M))
if len(rows) < 30 or len(known) < 50:
    problems.append(f"only {len(rows)} rows and {len(known)} fields are found")
for field in sorted(known - listed):
    problems.append(f"{field}: is not on the page")
for field in sorted(set(SAMPLES) - listed):
    problems.append(f"{field}: has a sample, but is not on the page")
print("\n".join(problems))
sys.exit(bool(problems))
