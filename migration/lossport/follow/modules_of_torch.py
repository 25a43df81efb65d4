"""What torch hands to user code: the methods that every module has, hooks, and wrappers such as `DataParallel`."""

from __future__ import annotations

from lossport.follow.values import HANDED, OTHER, Inherited, Instance, Object, Value, Values, Wrapped

RETURN_THEMSELVES = frozenset(
    {"to", "cuda", "cpu", "xpu", "train", "eval", "half", "float", "double", "bfloat16", "type"}
    | {"to_empty", "requires_grad_", "share_memory", "apply"}
)
"""Methods of a torch module that return the module."""

HOOKS = frozenset(
    {"register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook", "register_full_backward_pre_hook"}
    | {"register_backward_hook", "register_state_dict_pre_hook", "register_load_state_dict_post_hook"}
)
"""Methods that take a function, to be called with the module first; a forward hook also gets what the call returned, as third."""

PARTS = frozenset(
    {"children", "modules", "named_children", "named_modules", "get_submodule", "_modules", "module", "__getattr__"}
)
"""What gives the modules inside a module."""

WRAPPERS = frozenset(
    f"torch.nn.{name}"
    for name in (
        "DataParallel",
        "parallel.DataParallel",
        "parallel.DistributedDataParallel",
        "parallel.distributed.DistributedDataParallel",
    )
) | {"torch.distributed.fsdp.FullyShardedDataParallel"}
"""Classes whose instances are called as the module is that they are given, and keep it as `.module`."""

LOADS = frozenset(
    {"torch.load", "torch.jit.load", "pickle.load", "pickle.loads", "dill.load", "dill.loads", "joblib.load", "cloudpickle.load"}
    | {"cloudpickle.loads", "torch.hub.load"}
)
"""Functions that give back whatever was stored: a whole model, say."""


def inherited(owner: Value, name: str, *, carries: bool) -> Values | None:
    """What a module has from torch under a name; None for anything that is not known to lead to something legacy."""
    if isinstance(owner, Object | Wrapped) and (name in RETURN_THEMSELVES or name in HOOKS):
        return frozenset({Inherited(owner, name)})
    return HANDED if carries and name in PARTS else None


def hook_arguments(name: str, owner: Value, result: Values) -> list[Values]:
    """What a hook is called with, or the function that `apply` calls: it is also called with every module inside."""
    mine: Values = frozenset({owner})
    if name == "apply":
        return [mine | HANDED if not isinstance(owner, Instance) else mine | OTHER]
    return [mine, OTHER, result] if name == "register_forward_hook" else [mine, OTHER, OTHER]
