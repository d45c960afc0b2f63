// The official OpenAI client for Node on Responses, with its typed stream events.

import OpenAI from "openai";
import { apiKey, baseURL, called, failure, said, tell } from "./said.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const create = (model, input, more = {}) =>
  client.responses.create({ model, input, store: false, ...more });

/** The text and the arguments that the events carried, and the response that the last one gave. */
async function streamed(model, input, more = {}) {
  let text = "";
  let args = "";
  let last;
  for await (const event of await create(model, input, { stream: true, ...more })) {
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.function_call_arguments.delta") args += event.delta;
    if (event.type === "response.completed") last = event.response;
  }
  return { text, args, last };
}

const calls = (response) => response.output.filter((item) => item.type === "function_call");

async function filtered() {
  const response = await create(said.filtered, "hi");
  return { text: response.output_text, finish: response.incomplete_details.reason };
}

const tools = [{ type: "function", strict: true, ...said.tool.function }];
const [call] = calls(await create(said.call, said.ask, { tools }));
const told = await streamed(said.call, said.ask, { tools });
const turn = [
  { role: "user", content: said.ask },
  call,
  { type: "function_call_output", call_id: call.call_id, output: said.found },
];
const stranger = new OpenAI({ baseURL, apiKey: `${apiKey.slice(0, -1)}_`, maxRetries: 0 });

tell({
  whole: (await create(said.say, said.ask)).output_text,
  streamed: (await streamed(said.say, said.ask)).text,
  tool: called(call.name, call.arguments),
  tool_streamed: called(calls(told.last)[0].name, told.args),
  answer: (await create(said.answer, turn, { tools })).output_text,
  answer_streamed: (await streamed(said.answer, turn, { tools })).text,
  filtered: await filtered(),
  blocked: await failure(() => create(said.say, said.forbidden)),
  blocked_stream: await failure(() => streamed(said.say, said.forbidden)),
  unknown_key: await failure(() =>
    stranger.responses.create({ model: said.say, input: "hi", store: false }),
  ),
  unknown_model: await failure(() => create(said.nowhere, "hi")),
});
