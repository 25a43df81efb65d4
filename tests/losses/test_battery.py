"""What must hold for every loss, one test a sentence; the losses are in `entries/`, see `battery.py`."""

from __future__ import annotations

import copy
import doctest
import inspect
import pickle
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from tests.losses.battery import ROWS, Entry, Inputs, cast, entries, floats, gradients, run

ENTRIES = entries()
VARIANTS = [pytest.param(e, o, id=f"{e.name}-{n}") for e in ENTRIES for n, o in enumerate(e.options)]
ENOUGH_ROWS = [
    pytest.param(e, o, rows, id=f"{rows}-{e.name}-{n}")
    for e in ENTRIES
    for n, o in enumerate(e.options)
    for rows in (0, 1, 2, ROWS)
    if rows == 0 or rows >= e.smallest
]
"""Every loss with every number of rows for which it is defined."""
WITHOUT_A_PAPER = ("CombinedLoss", "HybridPretrainVICRegLoss", "MeanSquaredError", "MultitaskLoss", "Tasks")
WITHOUT_PAIRS = ("CombinedLoss", "LabelSmoothingCrossEntropy", "MeanSquaredError", "MultitaskLoss", "Tasks")
HALVES = [torch.float16, torch.bfloat16]
WIDTHS_OF_FLOAT = [torch.float32, *HALVES]

each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
with_all_options = pytest.mark.parametrize(("entry", "options"), VARIANTS)
in_every_precision = pytest.mark.parametrize("dtype", WIDTHS_OF_FLOAT, ids=str)


def those(condition: Callable[[Entry], Any]) -> pytest.MarkDecorator:
    """Run for the entries of which the condition holds."""
    return pytest.mark.parametrize("entry", [e for e in ENTRIES if condition(e)], ids=lambda entry: entry.name)


def assert_close(found: Tensor | None, expected: Tensor | None, what: str, **tolerances: Any) -> None:
    torch.testing.assert_close(found, expected, msg=lambda text: f"{what}: {text}", **tolerances)


def assert_finite(loss: nn.Module, inputs: Inputs) -> None:
    found = run(loss, inputs)
    for key, value in found.items():
        assert value.isfinite().all(), f"{key} is {value}"
    for name, gradient in gradients(loss, inputs, found["loss"]).items():
        assert gradient is None or gradient.isfinite().all(), f"the gradient of {name} is {gradient}"


# ---- the numbers


@with_all_options
def test_every_key_equals_the_formula_in_float64(entry: Entry, options: dict[str, Any]) -> None:
    loss = entry.make(**options).double()
    inputs = entry.draw()
    torch.manual_seed(3)
    expected = entry.reference(copy.deepcopy(loss), inputs)
    found = run(loss, inputs)
    assert list(found) == list(expected)
    for key, value in expected.items():
        wanted = torch.as_tensor(value, dtype=torch.float64).detach()
        # Shares of hits are float32, which holds a third only to 8 digits.
        rtol = 1e-10 if found[key].dtype == torch.float64 else 1e-6
        assert_close(found[key].detach().double(), wanted, key, rtol=rtol, atol=1e-10)


@with_all_options
def test_gradients_equal_those_of_the_formula_in_float64(entry: Entry, options: dict[str, Any]) -> None:
    loss = entry.make(**options).double()
    inputs = entry.draw()
    torch.manual_seed(3)
    before = copy.deepcopy(loss)
    expected = gradients(before, inputs, torch.as_tensor(entry.reference(before, inputs)["loss"]))
    found = gradients(loss, inputs, run(loss, inputs)["loss"])
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert_close(found[name], gradient, name, rtol=1e-8, atol=1e-10)


@with_all_options
def test_gradcheck_passes_in_float64(entry: Entry, options: dict[str, Any]) -> None:
    loss = entry.make(**options).double()
    inputs = entry.draw(rows=4, dim=3)
    leaves = floats(inputs)

    def value(*given: Tensor) -> Tensor:
        found: Tensor = run(copy.deepcopy(loss), {**inputs, **dict(zip(leaves, given, strict=True))})["loss"]
        return found

    # The smallest temperatures make second differences large; half of the default step keeps them below the tolerance.
    assert torch.autograd.gradcheck(value, tuple(leaves.values()), eps=5e-7, atol=1e-5, rtol=1e-4)


# ---- what comes back


@pytest.mark.parametrize(("entry", "options", "rows"), ENOUGH_ROWS)
def test_results_are_the_loss_then_detached_numbers_under_the_same_keys_for_any_batch(
    entry: Entry, options: dict[str, Any], rows: int
) -> None:
    found = run(entry.make(**options), entry.draw(rows, dtype=torch.float32))
    assert type(found) is dict
    assert next(iter(found)) == "loss"
    assert list(found) == list(run(entry.make(**options), entry.draw(dtype=torch.float32)))
    for key, value in found.items():
        assert isinstance(value, Tensor), f"{key} is {type(value).__name__}"
        assert key == "loss" or (value.shape == () and not value.requires_grad), f"{key} is no detached number: {value}"


@each
def test_results_have_the_same_keys_for_nan(entry: Entry) -> None:
    inputs = cast({name: v * float("nan") if name in floats({name: v}) else v for name, v in entry.draw().items()}, torch.float32)
    assert list(run(entry.make(), inputs)) == list(run(entry.make(), entry.draw(dtype=torch.float32)))


@those(lambda entry: entry.reductions)
def test_reductions_reduce_the_per_sample_losses(entry: Entry) -> None:
    found = {kind: run(entry.make(reduction=kind), entry.draw())["loss"] for kind in entry.reductions}
    for kind in {"mean", "sum"} & found.keys():
        assert found[kind].shape == ()
    if "none" in found:
        assert found["none"].shape == entry.per_sample(ROWS)
        assert run(entry.make(reduction="none"), entry.draw(0))["loss"].shape == entry.per_sample(0)
    if "none" in found and entry.adds_up:
        torch.testing.assert_close(found["none"].mean(), found["mean"])
        torch.testing.assert_close(found["none"].sum(), found["sum"])


@those(lambda entry: entry.reductions)
def test_an_unknown_reduction_is_refused_with_the_known_ones(entry: Entry) -> None:
    with pytest.raises(ValueError, match=r"reduction='average'.*'mean'"):
        entry.make(reduction="average")


@each
def test_the_loss_of_an_empty_batch_is_a_zero_that_can_be_differentiated(entry: Entry) -> None:
    inputs = entry.draw(0, dtype=torch.float32)
    found = run(entry.make(), inputs)["loss"]
    assert found.sum() == 0
    torch.autograd.backward(found.sum())


# ---- precision


@each
def test_float64_stays_float64_and_float32_stays_float32(entry: Entry) -> None:
    assert run(entry.make().double(), entry.draw())["loss"].dtype == torch.float64
    assert run(entry.make(), entry.draw(dtype=torch.float32))["loss"].dtype == torch.float32


@each
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_half_precision_features_give_a_float32_loss_close_to_float64(entry: Entry, dtype: torch.dtype) -> None:
    inputs = entry.draw(dtype=dtype)
    loss = entry.make()
    found = run(loss, inputs)["loss"]
    exact = run(entry.make().double(), cast(inputs, torch.float64))["loss"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, rtol=entry.half_tolerance, atol=entry.half_tolerance)
    for name, gradient in gradients(loss, inputs, found).items():
        assert gradient is None or gradient.isfinite().all(), f"the gradient of {name} is {gradient}"


@each
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_gradients_of_half_precision_features_are_those_of_float64_rounded(entry: Entry, dtype: torch.dtype) -> None:
    """Four roundings of the largest: the sum, the scale of the row, and the cast itself, with one to spare."""
    inputs = entry.draw(dtype=dtype)
    loss, exact_loss = entry.make(), entry.make().double()
    exact_inputs = cast(inputs, torch.float64)
    exact = gradients(exact_loss, exact_inputs, run(exact_loss, exact_inputs)["loss"])
    found = gradients(loss, inputs, run(loss, inputs)["loss"])
    for name in floats(inputs):
        expected, gradient = exact[name], found[name]
        assert (gradient is None) == (expected is None), name
        if gradient is not None and expected is not None:
            assert gradient.dtype == dtype
            largest = max(expected.abs().max().item(), torch.finfo(dtype).tiny)
            within = 4 * torch.finfo(dtype).eps * largest
            assert_close(gradient.double(), expected, name, rtol=0, atol=within + entry.half_tolerance * largest)


@each
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_a_loss_moved_to_another_precision_and_back_still_computes(entry: Entry, dtype: torch.dtype) -> None:
    loss = entry.make()
    kinds = [value.dtype for value in (*loss.parameters(), *loss.buffers())]
    assert loss.to(dtype) is loss
    for value, kind in zip((*loss.parameters(), *loss.buffers()), kinds, strict=True):
        assert value.dtype == (dtype if kind.is_floating_point else kind)
    found = run(loss, entry.draw(dtype=dtype))["loss"]
    assert found.isfinite().all()
    assert found.dtype == torch.float32
    assert run(loss.float(), entry.draw(dtype=torch.float32))["loss"].dtype == torch.float32


@each
def test_a_loss_moved_to_another_device_takes_all_its_state_along(entry: Entry) -> None:
    moved = entry.make().to("meta")
    assert {value.device.type for value in (*moved.parameters(), *moved.buffers())} <= {"meta"}


@each
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("features", WIDTHS_OF_FLOAT, ids=str)
def test_autocast_changes_no_number(entry: Entry, dtype: torch.dtype, features: torch.dtype) -> None:
    inputs = entry.draw(dtype=features)
    loss = entry.make()
    plain = run(entry.make(), inputs)["loss"]
    with torch.autocast("cpu", dtype=dtype):
        found = run(loss, inputs)["loss"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, plain, rtol=entry.autocast_tolerance, atol=entry.autocast_tolerance)
    for name, gradient in gradients(loss, inputs, found).items():
        assert gradient is None or gradient.isfinite().all(), f"the gradient of {name} is {gradient}"
        assert gradient is None or name not in floats(inputs) or gradient.dtype == features, name


# ---- edges


@with_all_options
@in_every_precision
def test_a_row_of_zeros_is_finite(entry: Entry, options: dict[str, Any], dtype: torch.dtype) -> None:
    inputs = entry.draw(dtype=torch.float64)
    for value in floats(inputs).values():
        with torch.no_grad():
            value[0] = 0
    assert_finite(entry.make(**options), cast(inputs, dtype))


@with_all_options
@in_every_precision
def test_collapsed_rows_are_finite(entry: Entry, options: dict[str, Any], dtype: torch.dtype) -> None:
    inputs = entry.draw()
    for value in floats(inputs).values():
        with torch.no_grad():
            value[:] = value[:1].clone()
    assert_finite(entry.make(**options), cast(inputs, dtype))


@pytest.mark.parametrize(
    ("entry", "options"), [variant for variant in VARIANTS if getattr(variant.values[0], "cold", None) is not None]
)
@in_every_precision
def test_the_lowest_temperature_is_finite(entry: Entry, options: dict[str, Any], dtype: torch.dtype) -> None:
    assert entry.cold is not None
    assert_finite(entry.make(**{**options, **entry.cold}), entry.draw(dtype=dtype))


@those(lambda entry: entry.cold is not None)
def test_the_lowest_temperature_is_finite_when_all_rows_agree_or_are_opposite(entry: Entry) -> None:
    assert entry.cold is not None
    inputs = entry.draw()
    for sign, value in zip((1.0, -1.0, 1.0), floats(inputs).values(), strict=False):
        with torch.no_grad():
            value[:] = sign * value.new_ones(value.shape)
    assert_finite(entry.make(**entry.cold), cast(inputs, torch.float32))


@with_all_options
@in_every_precision
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_small_batches_are_finite(entry: Entry, options: dict[str, Any], dtype: torch.dtype, rows: int) -> None:
    loss, inputs = entry.make(**options), entry.draw(rows, dtype=dtype)
    if 0 < rows < entry.smallest:
        with pytest.raises(ValueError, match=str(rows)):
            run(loss, inputs)
        return
    assert_finite(loss, inputs)


# ---- what a call does besides


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch leaves it untyped
    """Counts the operations of a call, and notes those for which a device would have to be read back."""

    READS_BACK = ("_local_scalar_dense", "nonzero", "is_nonzero", "masked_select", "unique", "equal", "item")

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # likewise
        self.operations = 0
        self.read_back: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += 1
        name = func.overloadpacket.__name__
        picks = name in ("index", "index_put", "index_put_") and any(
            isinstance(index, Tensor) and index.dtype == torch.bool for index in args[1]
        )
        if picks or any(name == slow or name.startswith("unique") for slow in self.READS_BACK):
            self.read_back.append(str(func))
        return func(*args, **(kwargs or {}))


@with_all_options
def test_nothing_is_read_back_from_the_device(entry: Entry, options: dict[str, Any]) -> None:
    loss, inputs = entry.make(**options), entry.draw(dtype=torch.float32)
    with Watch() as watch:
        torch.autograd.backward(run(loss, inputs)["loss"].sum())
    assert watch.read_back == []


@each
def test_the_number_of_operations_does_not_grow_with_the_batch(entry: Entry) -> None:
    counts = []
    for rows in (24, 48):
        loss, inputs = entry.make(), entry.draw(rows, dtype=torch.float32)
        with Watch() as watch:
            torch.autograd.backward(run(loss, inputs)["loss"].sum())
        counts.append(watch.operations)
    assert counts[0] == counts[1]


@each
def test_nothing_is_printed(entry: Entry, capfd: pytest.CaptureFixture[str]) -> None:
    run(entry.make(), entry.draw(dtype=torch.float32))
    assert capfd.readouterr() == ("", "")


@each
def test_inputs_are_left_as_they_were(entry: Entry) -> None:
    inputs = entry.draw(dtype=torch.float32)
    before = copy.deepcopy({name: v.detach() if isinstance(v, Tensor) else v for name, v in inputs.items()})
    torch.autograd.backward(run(entry.make(), inputs)["loss"].sum())
    for name, value in before.items():
        if isinstance(value, Tensor):
            assert torch.equal(inputs[name], value), name
        else:
            assert inputs[name] == value, name


@each
def test_the_layout_of_the_inputs_does_not_matter(entry: Entry) -> None:
    inputs = entry.draw()
    strided = {
        name: torch.stack((v, v), dim=-1)[..., 0] if isinstance(v, Tensor) and v.is_floating_point() else v
        for name, v in inputs.items()
    }
    torch.testing.assert_close(run(entry.make().double(), strided)["loss"], run(entry.make().double(), inputs)["loss"])


@with_all_options
def test_work_on_the_loss_in_place_leaves_the_metrics_alone(entry: Entry, options: dict[str, Any]) -> None:
    found = run(entry.make(**options), entry.draw(dtype=torch.float32))
    before = {key: value.clone() for key, value in found.items() if key != "loss"}
    with torch.no_grad():
        found["loss"].div_(2).add_(1)
    for key, value in before.items():
        assert_close(found[key], value, key, rtol=0, atol=0, equal_nan=True)


@with_all_options
def test_a_loss_that_was_evaluated_in_inference_mode_trains_on(entry: Entry, options: dict[str, Any]) -> None:
    loss, inputs = entry.make(**options), entry.draw(dtype=torch.float32)
    with torch.inference_mode():
        run(loss.eval(), inputs)
    assert not any(buffer.is_inference() for buffer in loss.buffers())
    assert_finite(loss.train(), inputs)


@each
def test_no_graph_is_built_without_gradients(entry: Entry) -> None:
    with torch.no_grad():
        assert not run(entry.make(), entry.draw(dtype=torch.float32))["loss"].requires_grad


# ---- state


@each
def test_state_restored_in_the_middle_of_a_run_continues_with_the_same_numbers(entry: Entry) -> None:
    def step(loss: nn.Module, number: int) -> dict[str, Tensor]:
        return run(loss, entry.draw((5, 3, 8)[number % 3], seed=number, dtype=torch.float32), seed=number)

    loss = entry.make()
    fresh_state = copy.deepcopy(loss.state_dict())
    for number in range(4):
        step(loss, number)
    saved = copy.deepcopy(loss.state_dict())
    changed = saved.keys() != fresh_state.keys() or any(not torch.equal(saved[name], fresh_state[name]) for name in saved)
    assert changed == entry.stateful
    restored = entry.make()
    restored.load_state_dict(saved)
    for number in range(4, 8):
        expected, found = step(loss, number), step(restored, number)
        for key, value in expected.items():
            assert torch.equal(found[key], value), f"{key} differs in step {number}"
    assert all(torch.equal(value, loss.state_dict()[name]) for name, value in restored.state_dict().items())


@each
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))], ids=["deepcopy", "pickle"])
def test_a_copy_computes_the_same_on_its_own(entry: Entry, copied: Any) -> None:
    loss = entry.make()
    run(loss, entry.draw(dtype=torch.float32))
    twin = copied(loss)
    expected, found = run(loss, entry.draw(dtype=torch.float32)), run(twin, entry.draw(dtype=torch.float32))
    assert all(torch.equal(found[key], value) for key, value in expected.items())
    for (name, one), other in zip(loss.state_dict().items(), twin.state_dict().values(), strict=True):
        assert torch.equal(one, other), name
        assert one.data_ptr() != other.data_ptr(), name


@each
def test_train_and_eval_switch_the_flag_and_return_the_loss(entry: Entry) -> None:
    loss = entry.make()
    assert loss.eval() is loss
    assert not any(module.training for module in loss.modules())
    assert loss.train() is loss
    assert loss.training


@with_all_options
def test_the_printed_form_shows_the_options(entry: Entry, options: dict[str, Any]) -> None:
    shown = repr(entry.make(**options))
    for name, value in options.items():
        if isinstance(value, str | int | float):
            assert f"{name}={value!r}" in shown


# ---- compiled


COMPILING = [entry for entry in ENTRIES if entry.compiles]
FIRST_OF_ITS_MODULE = {type(entry.make()).__module__: entry.name for entry in reversed(COMPILING)}
ALIKE = pytest.mark.full(reason="torch.compile takes seconds, and another loss of the same module is compiled in every run")


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(entry, id=entry.name, marks=() if entry.name in FIRST_OF_ITS_MODULE.values() else ALIKE)
        for entry in COMPILING
    ],
)
def test_it_compiles_to_one_graph_with_the_same_numbers(entry: Entry) -> None:
    torch.compiler.reset()
    loss, inputs = entry.make(), entry.draw(dtype=torch.float32)
    compiled = torch.compile(copy.deepcopy(loss), fullgraph=True, backend="aot_eager")
    found, expected = run(compiled, inputs), run(loss, inputs)
    assert list(found) == list(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value)
    one, other = gradients(loss, inputs, found["loss"]), gradients(loss, inputs, expected["loss"])
    for name in floats(inputs):
        torch.testing.assert_close(one[name], other[name])


@those(lambda entry: not entry.compiles)
def test_only_a_loss_whose_path_depends_on_its_state_does_not_compile(entry: Entry) -> None:
    assert entry.stateful


# ---- wrong use


def shapes_of_wrong_features(entry: Entry) -> list[Any]:
    def change(name: str, to: Any) -> Any:
        return lambda inputs: {**inputs, name: to(inputs[name].detach())}

    found: list[tuple[str, Any]] = []
    for name in entry.features:
        found.append((f"{name} one-dimensional", change(name, lambda x: x[:, 0])))
        found.append((f"{name} of whole numbers", change(name, lambda x: x.long())))
        found.append((f"{name} a list", change(name, lambda x: x.tolist())))
    if len(entry.features) > 1:
        last = entry.features[-1]
        found.append((f"{last} a row short", change(last, lambda x: x[:-1])))
        if entry.same_width:
            found.append((f"{last} a column short", change(last, lambda x: x[:, :-1])))
            found.append((f"{last} of another precision", change(last, lambda x: x.double())))
    if entry.ids:
        name = entry.ids
        found.append((f"{name} one short", lambda inputs: {**inputs, name: inputs[name][:-1]}))
        found.append((f"{name} one too many", lambda inputs: {**inputs, name: [*inputs[name], "more"]}))
        found.append((f"{name} none at all", lambda inputs: {**inputs, name: []}))
        found.append((f"{name} a matrix", lambda inputs: {**inputs, name: torch.zeros(ROWS, 2)}))
        found.append((f"{name} a number", lambda inputs: {**inputs, name: 3}))
    return [pytest.param(entry, spoil, id=f"{entry.name}: {what}") for what, spoil in found]


SPOILED = [case for entry in ENTRIES for case in shapes_of_wrong_features(entry)]
SPOILED += [pytest.param(e, spoil, id=f"{e.name}: {spoil.__name__}") for e in ENTRIES for spoil in e.wrong_inputs]


@pytest.mark.parametrize(("entry", "spoil"), SPOILED)
def test_wrong_inputs_are_refused_with_what_was_found_and_expected(entry: Entry, spoil: Any) -> None:
    loss = entry.make()
    before = copy.deepcopy(loss.state_dict())
    with pytest.raises(ValueError, match=r"(?s)expected.*found"):
        loss(**spoil(entry.draw(dtype=torch.float32)))
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items()), "the state has changed"


@pytest.mark.parametrize(
    ("entry", "options"), [pytest.param(e, o, id=f"{e.name}: {o}") for e in ENTRIES for o in e.wrong_options]
)
def test_wrong_options_are_refused_by_name_and_value(entry: Entry, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        entry.make(**options)
    assert any(name in str(caught.value) for name in options)


# ---- documentation


@each
def test_the_docstring_has_formula_shapes_and_an_example_that_runs(entry: Entry) -> None:
    cls = type(entry.make())
    text = inspect.getdoc(cls) or ""
    for part in ("Shape:", ">>>", "=", r"[Mm]etrics|`loss`"):
        assert re.search(part, text), f"the docstring of {cls.__name__} has no {part!r}"
    assert text.splitlines()[1] == "", f"the summary of {cls.__name__} does not stand alone"
    if cls.__name__ not in WITHOUT_PAIRS:
        assert re.search("positive|negative", text, re.IGNORECASE), f"{cls.__name__} does not say what is compared with what"
    if cls.__name__ not in WITHOUT_A_PAPER:
        assert re.search(r"\b(19|20)\d\d\b", text), f"{cls.__name__} names no paper"
    failed, tried = doctest.testmod(sys.modules[cls.__module__])
    assert (failed, tried > 0) == (0, True)


# ---- on CUDA


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@each
def test_cuda_computes_the_same_without_waiting_for_the_device(entry: Entry) -> None:
    loss = entry.make().double()
    inputs = entry.draw()
    expected = run(copy.deepcopy(loss), inputs)
    loss, moved = loss.cuda(), cast(inputs, torch.float64, "cuda")
    run(copy.deepcopy(loss), moved)
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = run(loss, moved)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert list(found) == list(expected)
    for key, value in found.items():
        assert value.device.type == "cuda", key
        if not entry.random:
            assert_close(value.cpu().double(), expected[key].double(), key)
