"""Whether a port fits the two sources it maps: every parameter accounted for, every rule about something that exists."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from lossport.project.config import ConfigError, Loss, Project
from lossport.project.port import Compute, Constant, Default, Drop, Port, Refuse, Rename
from lossport.rewrite.contract import Binding, Contract, contract_of, literal, parameters_text, same_default
from lossport.source.modules import Modules, modules_of


def check_port(project: Project, loss: Loss, modules: Modules | None = None) -> tuple[Contract, ...]:
    """Check the ports of a loss against both signatures; gives them with what the sources say.

    A legacy source that is gone already is not checked against.

    Raises:
        ConfigError: naming the parameter, the port and what to add.
    """
    modules = modules or modules_of(project)
    where = project.relative(loss.port_file) if loss.port_file.is_relative_to(project.root) else str(loss.port_file)
    contracts: list[Contract] = []
    for port in loss.ports:
        contract = contract_of(modules, port)
        faults = [*_sides(project, modules, contract), *_arguments(contract.constructor, port, "parameters")]
        if contract.legacy is not None and contract.legacy.is_class:
            faults += _arguments(contract.forward, port, "forward")
            faults += _methods(contract)
        if faults:
            raise ConfigError("\n".join(f"{where}: port of {port.legacy}: {fault}" for fault in faults))
        contracts.append(contract)
    return tuple(contracts)


def _sides(project: Project, modules: Modules, contract: Contract) -> Iterator[str]:
    port = contract.port
    if contract.legacy is None and modules.load(port.module) is not None:
        yield f"the module {port.module} defines no class or function {port.name!r}; correct legacy="
    if contract.new is None:
        top = port.new.partition(".")[0]
        in_project = any((root / top).is_dir() or (root / f"{top}.py").is_file() for root in project.import_roots)
        if in_project:
            yield f"{port.new} is not defined in the project; write it, or correct new="
        elif not _installed(top):
            yield f"new={port.new!r}: neither the project nor the environment has a module {top!r}"


def _installed(top: str) -> bool:
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _arguments(binding: Binding, port: Port, field: str) -> Iterator[str]:
    yield from _unmapped(binding, port, field)
    yield from _rules(binding, field)
    yield from _unfilled(binding, field)


def _unmapped(binding: Binding, port: Port, field: str) -> Iterator[str]:
    """Legacy parameters that neither a rule nor the new signature takes up."""
    if binding.legacy is None or binding.new is None:
        return
    for parameter in binding.legacy.parameters:
        name = parameter.name
        if parameter.kind in ("args", "kwargs") or name in binding.by_legacy or name in binding.consumed:
            continue
        if binding.new_name(name) is None:
            new = f"{port.new}{parameters_text(binding.new.parameters)}"
            yield (
                f"the {field} argument {name!r} of {binding.what} has no counterpart in {new}; add rename({name!r}, ...), "
                f"drop({name!r}, reason=...), refuse({name!r}, reason=...) or compute(...) to {field}="
            )


def _rules(binding: Binding, field: str) -> Iterator[str]:
    """Rules about parameters that do not exist."""
    for rule in binding.rules:
        match rule:
            case Rename(old, new):
                yield from _must_exist(binding, field, old=old, new=new)
            case Drop(name) | Refuse(name):
                yield from _must_exist(binding, field, old=name)
            case Default(name) | Constant(name):
                yield from _must_exist(binding, field, new=name)
            case Compute(name, _):
                yield from _must_exist(binding, field, new=name)
    for rule, names in binding.computed:
        known = {p.name for p in binding.legacy.parameters} if binding.legacy else names
        for name in sorted(names - known):
            if name not in ("None", "True", "False") and not _is_builtin(name):
                yield f"{field}=: compute({rule.name!r}, {rule.expression!r}) reads {name!r}, which {binding.what} does not take"


def _is_builtin(name: str) -> bool:
    return name in ("abs", "bool", "dict", "float", "int", "len", "list", "max", "min", "round", "str", "sum", "tuple")


def _must_exist(binding: Binding, field: str, *, old: str | None = None, new: str | None = None) -> Iterator[str]:
    if old is not None and binding.legacy is not None and not _has(binding.legacy, old):
        yield f"{field}=: {binding.what} takes no {old!r}: {parameters_text(binding.legacy.parameters)}"
    if new is not None and binding.new is not None and not _has(binding.new, new):
        yield f"{field}=: the new side takes no {new!r}: {parameters_text(binding.new.parameters)}"


def _has(signature: object, name: str) -> bool:
    parameters = getattr(signature, "parameters", ())
    return any(p.name == name and p.kind != "args" for p in parameters) or any(p.kind == "kwargs" for p in parameters)


def _unfilled(binding: Binding, field: str) -> Iterator[str]:
    """New parameters that nothing gives, and defaults that cannot be written at call sites."""
    if binding.legacy is None or binding.new is None:
        return
    given = {r.name for r in binding.rules if isinstance(r, Default | Constant | Compute)}
    fed = {binding.new_name(p.name): p for p in binding.legacy.parameters if p.kind not in ("args", "kwargs")}
    for parameter in binding.new.parameters:
        if parameter.kind in ("args", "kwargs") or parameter.name in given:
            continue
        source = fed.get(parameter.name)
        if source is None:
            if parameter.default is None:
                fix = f"add constant({parameter.name!r}, ...) to {field}="
                yield f"the new side requires {parameter.name!r}, which {binding.what} does not have; {fix}"
        elif (
            source.default is not None and not same_default(source.default, parameter.default) and not literal(source.default)[0]
        ):
            yield (
                f"the default of {source.name!r} changes from {source.default} to {parameter.default}, and the former is no "
                f"literal that call sites could name; add default({parameter.name!r}, ...) to {field}="
            )


def _methods(contract: Contract) -> Iterator[str]:
    port = contract.port
    for name, method in port.methods.items():
        if contract.legacy is not None and name not in contract.legacy.methods:
            yield f"methods=: {port.name} has no method {name!r}"
        if contract.new is not None and method.new not in contract.new.methods:
            yield f"methods=: {port.new} has no method {method.new!r}"
        yield from _arguments(contract.method(name)[1], port, f"methods[{name!r}]")
