// Who has what.
import assert from "node:assert/strict";
import { created } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { api, assertErrors, assertStatus, employee, instant, nowhere } from "./expect.mjs";

test("an asset is assigned and returned, and its history says so", async () => {
  const call = await api();
  const asset = await created(call);
  const person = await employee(call);
  const given = { employee_id: person.id, assignment_type: "loaner", expected_return: "2030-01-31", notes: "for the fair" };
  const { data } = assertStatus(await call("POST", `/assets/${asset.id}/assign`, given), 200);
  assert.deepEqual([data.status, data.employee_id, data.employee_name, data.assignment_type, data.expected_return],
    ["assigned", person.id, person.name, "loaner", "2030-01-31"]);
  assert.match(data.assigned_at, instant);
  assertErrors(await call("POST", `/assets/${asset.id}/assign`, given), 409, [[null, "already_assigned"]]);

  const back = assertStatus(await call("POST", `/assets/${asset.id}/return`, { condition: "damaged", notes: "wet" }), 200);
  assert.deepEqual([back.data.status, back.data.condition, back.data.employee_id, back.data.assigned_at, back.data.assignment_type],
    ["in_stock", "damaged", null, null, null]);
  assertErrors(await call("POST", `/assets/${asset.id}/return`, {}), 409, [[null, "not_assigned"]]);

  const history = (await call("GET", `/assets/${asset.id}/history`)).body.data;
  assert.deepEqual(history.map(({ type, employee_name, description }) => [type, employee_name, description]).slice(0, 2),
    [["return", person.name, "wet"], ["assignment", person.name, "for the fair"]]);
});

test("assign refuses people who are not there and things that are gone", async () => {
  const call = await api();
  const asset = await created(call);
  const path = `/assets/${asset.id}/assign`;
  const person = await employee(call);
  assertErrors(await call("POST", path, { employee_id: nowhere }), 422, [["employee_id", "not_found"]]);
  assertErrors(await call("POST", path, { employee_id: (await employee(call, "terminated")).id }), 422, [["employee_id", "terminated"]]);
  for (const [body, field] of [[{}, "employee_id"], [{ employee_id: 7 }, "employee_id"], [{ employee_id: "x" }, "employee_id"],
    [{ employee_id: person.id, assignment_type: "gift" }, "assignment_type"], [{ employee_id: person.id, expected_return: "soon" }, "expected_return"],
    [{ employee_id: person.id, notes: "x".repeat(2001) }, "notes"], [{ employee_id: person.id, colour: 1 }, "colour"]]) {
    const answer = await call("POST", path, body);
    assertErrors(answer, 422);
    assert.deepEqual(answer.body.errors.map((error) => error.field), [field], answer.text);
  }
  for (const status of ["retired", "lost", "stolen"]) {
    const gone = await created(call, { status });
    assertErrors(await call("POST", `/assets/${gone.id}/assign`, { employee_id: person.id }), 409, [[null, "not_assignable"]]);
  }
  assert.equal((await call("GET", `/assets/${asset.id}`)).body.data.status, "in_stock");
});

test("an assigned asset keeps its status until it is back, unless it is lost", async () => {
  const call = await api();
  const person = await employee(call);
  const asset = await created(call);
  await call("POST", `/assets/${asset.id}/assign`, { employee_id: person.id });
  assertErrors(await call("PATCH", `/assets/${asset.id}`, { asset: { status: "in_repair" } }), 409, [[null, "assigned"]]);
  assertStatus(await call("PATCH", `/assets/${asset.id}`, { asset: { name: "Still there" } }), 200);
  const lost = assertStatus(await call("PATCH", `/assets/${asset.id}`, { asset: { status: "lost" } }), 200);
  assert.equal(lost.data.employee_id, person.id);
});

test("of two assignments at once exactly one wins", async () => {
  const call = await api();
  const people = (await call("GET", "/employees?status=active&page_size=8")).body.data;
  for (let round = 0; round < 10; ++round) {
    const asset = await created(call);
    const answers = await Promise.all(people.map(({ id }) => call("POST", `/assets/${asset.id}/assign`, { employee_id: id })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(people.length - 1).fill(409)]);
    const winner = answers.find(({ status }) => status === 200).body.data;
    const now = (await call("GET", `/assets/${asset.id}`)).body.data;
    assert.equal(now.employee_id, winner.employee_id);
    const history = (await call("GET", `/assets/${asset.id}/history`)).body.data;
    assert.equal(history.filter(({ type }) => type === "assignment").length, 1);
  }
});

test("of two assets with one tag at once exactly one is made", async () => {
  const call = await api();
  const tag = `ONE-${process.pid}`;
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => call("POST", "/assets", { asset: { tag, name: `n${n}` } })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(7).fill(422)]);
});
