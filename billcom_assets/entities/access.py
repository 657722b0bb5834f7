"""Who may do what in BILL."""

from __future__ import annotations

from billcom_assets.entities.model import Entity, Group, Walk, enum, reference, text

_ROLE_TYPES = (
    "ADMINISTRATOR",
    "ACCOUNTANT",
    "PAYER",
    "APPROVER",
    "CLERK",
    "AUDITOR",
    "CUSTOM",
    "INTERNAL",
    "MEMBER",
    "NO_ACCESS",
    "PARTNER",
    "PURCHASE_REQUESTER",
    "REVIEWER",
    "UNDEFINED",
)

USERS = Entity(
    name="users",
    singular="user",
    path="/v3/users",
    id_prefix="006",
    group=Group.ACCESS,
    walk=Walk.INCREMENTAL,
    description="People who may sign in to the BILL organization, former ones included (archived).",
    docs="https://developer.bill.com/reference/listorganizationusers",
    columns=(
        text("firstName", "First name of the user as shown in BILL.", sensitive=True),
        text("lastName", "Last name of the user as shown in BILL.", sensitive=True),
        text("email", "Address that the user signs in with and is written to.", sensitive=True),
        reference("role.id", "roles", "Role that decides what the user may do (id in roles)."),
        enum("role.type", _ROLE_TYPES, "Kind of the user's role; CUSTOM for roles that the company defined itself."),
        text("role.description", "Name that the company gave to the user's role; null for BILL's built-in roles."),
    ),
)

ROLES = Entity(
    name="roles",
    singular="role",
    path="/v3/roles",
    id_prefix="0po",
    group=Group.ACCESS,
    walk=Walk.FULL,
    description="Roles that users can have: six built in, others defined by the company.",
    docs="https://developer.bill.com/reference/listorganizationuserroles",
    columns=(
        enum("type", _ROLE_TYPES, "Kind of role; CUSTOM for roles that the company defined itself."),
        text("description", "Name that the company gave to the role; null for BILL's built-in roles."),
    ),
)
