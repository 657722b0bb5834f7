"""Reads users, customers and invoices of one organization with parsons.BillCom (v2); settings in, rows out, as JSON."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")

from parsons.bill_com.bill_com import BillCom  # noqa: E402 - it warns while it is imported


def main() -> None:
    given = json.load(sys.stdin)
    client = BillCom(
        user_name=given["username"],
        password=given["password"],
        org_id=given["organization_id"],
        dev_key=given["dev_key"],
        api_url=given["v2_base_url"] + "/",
    )
    size = given["page_size"]
    customers = client.get_customer_list(max_customer=size)
    found = {
        "users": [row["id"] for row in client.get_user_list(max_user=size)],
        "customers": [row["id"] for row in customers],
        "invoices": [row["id"] for row in client.get_invoice_list(max_invoice=size)],
        "customer": client.read_customer(customers[0]["id"]),
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
