"""Checks shared workspaces: each is one folder, and each member has it mounted somewhere."""

from __future__ import annotations

from attrs import define

from stacksync.db.known_workspaces import KnownWorkspace
from stacksync.db.sharing_checks import CheckedMember, SharingCheckTable
from stacksync.engine.check.findings import Finding, Findings
from stacksync.model import Role


@define
class SharingCheck:
    """Looks through one workspace at a time; what it finds needs a person to put right."""

    _table: SharingCheckTable
    _findings: Findings

    async def check(self, workspace: KnownWorkspace) -> None:
        for item_id, name in await self._table.departed(workspace.id):
            self._tell(
                workspace,
                "departed-item",
                f"{name!r} is said to have left for another workspace, but is here",
                item_id,
            )
        root = await self._table.root(workspace.id)
        if root is None:
            return
        if root.is_shared and not root.fits:
            self._tell(
                workspace, "shared-root", "it is shared, but has no folder that it consists of"
            )
        if not root.is_shared and root.item_id is not None:
            self._tell(
                workspace, "shared-root", "it is not shared, but is said to consist of one folder"
            )
        for item_id, name in await self._table.beside_root(workspace.id):
            self._tell(
                workspace, "beside-root", f"{name!r} is not in the folder that is shared", item_id
            )
        members = await self._table.members(workspace.id)
        self._owner(workspace, members)
        if root.is_shared:
            self._mounts(workspace, members)

    def _owner(self, workspace: KnownWorkspace, members: list[CheckedMember]) -> None:
        for member in members:
            if member.is_owner != (member.role == Role.OWNER.value):
                problem = "is the owner" if member.is_owner else "is not the owner"
                self._tell(
                    workspace, "member-role", f"{member.email} {problem}, but has the role"
                    f" {member.role}"
                )  # fmt: skip

    def _mounts(self, workspace: KnownWorkspace, members: list[CheckedMember]) -> None:
        if not any(member.is_owner for member in members):
            self._tell(workspace, "shared-members", "its owner takes no part in it")
        # An encrypted one may have nowhere to go when its last guest has gone.
        if not workspace.is_encrypted and not any(not member.is_owner for member in members):
            self._tell(workspace, "shared-members", "it is shared, but with nobody")
        for member in members:
            where = f"{member.email} has it mounted as {member.mount_name!r}"
            if not member.parent_fits:
                self._tell(workspace, "mount", f"{where} in a folder that is not their own")
            elif not member.is_marked:
                self._tell(
                    workspace, "mount", f"{where}, but in no workspace that is known to have mounts"
                )
            elif member.clashes:
                self._tell(workspace, "mount", f"{where}, where something else has this name")

    def _tell(
        self, workspace: KnownWorkspace, kind: str, message: str, item_id: int | None = None
    ) -> None:
        self._findings.add(Finding(kind, message, workspace.owner_email, workspace.id, item_id))
