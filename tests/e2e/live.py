"""An analyst's session with clickhouse-connect. Arguments: host, port, API key. One JSON object a line, in and out."""
import json
import sys
import time

import clickhouse_connect

ONE_PERSON = "(SELECT person_id FROM identities WHERE type = 'user_id' AND value = {user:String})"


def identities(client, run):
    """Both ids under one person: query."""
    sql = (
        "SELECT uniqExact(person_id), arraySort(groupArray(concat(type, ':', value))) FROM identities "
        "WHERE (type = 'user_id' AND value = {user:String}) OR (type = 'anonymous_id' AND value = {anonymous:String})"
    )
    row = client.query(sql, parameters=run).first_row
    return row[0] == 1 and list(row[1]) == [f"anonymous_id:{run['anonymous']}", f"user_id:{run['user']}"]


def revenue(client, run):
    """The anonymous visit and the orders under the person, the money to the cent: query_df."""
    frame = client.query_df(
        f"SELECT count() AS events, sum(revenue) AS revenue FROM events WHERE person_id = {ONE_PERSON}", parameters=run
    )
    return int(frame["events"][0]) == 4 and str(frame["revenue"][0]) == "300.3000"


def membership(client, run):
    """The entry into the segment: query."""
    sql = f"SELECT count() FROM memberships WHERE segment_id = {{segment:String}} AND person_id = {ONE_PERSON}"
    return client.query(sql, parameters=run).first_row[0] == 1


def funnel(client, run):
    """Viewed, then ordered, as one person: a stream of rows."""
    sql = (
        "SELECT level, count() AS people FROM (SELECT person_id, windowFunnel(604800000)(toUInt64(toUnixTimestamp64Milli(timestamp)), "
        "event = 'Product Viewed', event = 'Order Completed') AS level FROM events "
        "WHERE JSONExtractString(properties, 'run') = {run:String} GROUP BY person_id) WHERE level > 0 GROUP BY level ORDER BY level"
    )
    with client.query_rows_stream(sql, parameters=run) as rows:
        return [tuple(row) for row in rows] == [(2, 1)]


CHECKS = {"identities": identities, "revenue": revenue, "membership": membership, "funnel": funnel}


def watch(client, run, seconds_max):
    """Milliseconds until each is right, from now on; null where it never was."""
    started = time.perf_counter()
    taken = {name: None for name in CHECKS}
    while None in taken.values() and time.perf_counter() - started < seconds_max:
        for name, check in CHECKS.items():
            if taken[name] is None and check(client, run):
                taken[name] = (time.perf_counter() - started) * 1000
        time.sleep(0.01)
    return taken


def break_in_the_middle(client):
    """Rows come, then the error is raised and not taken for the end."""
    rows = 0
    try:
        with client.query_rows_stream("SELECT throwIf(number = 900000, 'in the middle') FROM numbers(1000000)") as stream:
            for _ in stream:
                rows += 1
    except Exception as error:  # noqa: BLE001
        return {"rows": rows, "raised": "in the middle" in str(error)}
    return {"rows": rows, "raised": False}


def main():
    host, port, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    client = clickhouse_connect.get_client(host=host, port=port, username="analyst", password=key, database="millrace")
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = break_in_the_middle(client) if asked.get("break") else watch(client, asked, 20)
        print(json.dumps(answer), flush=True)


main()
