// The official OpenAI client for Node on Chat Completions.

import OpenAI from "openai";
import { apiKey, baseURL, called, failure, said, tell } from "./said.mjs";

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const create = (model, messages, more = {}) =>
  client.chat.completions.create({ model, messages, ...more });

async function streamed(model, messages, more = {}) {
  let text = "";
  for await (const chunk of await create(model, messages, { stream: true, ...more })) {
    text += chunk.choices[0].delta.content ?? "";
  }
  return text;
}

async function filtered() {
  const [choice] = (await create(said.filtered, user("hi"))).choices;
  return { text: choice.message.content, finish: choice.finish_reason };
}

const tools = [said.tool];
const { message } = (await create(said.call, user(said.ask), { tools })).choices[0];
const whole = message.tool_calls[0].function;
const last = await client.chat.completions
  .stream({ model: said.call, messages: user(said.ask), tools })
  .finalChatCompletion();
const told = last.choices[0].message.tool_calls[0].function;
const turn = [
  ...user(said.ask),
  message,
  { role: "tool", tool_call_id: message.tool_calls[0].id, content: said.found },
];
const stranger = new OpenAI({ baseURL, apiKey: `${apiKey.slice(0, -1)}_`, maxRetries: 0 });
const models = [];
for await (const model of await client.models.list()) models.push(model.id);

tell({
  whole: (await create(said.say, user(said.ask))).choices[0].message.content,
  streamed: await streamed(said.say, user(said.ask)),
  tool: called(whole.name, whole.arguments),
  tool_streamed: called(told.name, told.arguments),
  tool_finish: last.choices[0].finish_reason,
  answer: (await create(said.answer, turn, { tools })).choices[0].message.content,
  answer_streamed: await streamed(said.answer, turn, { tools }),
  filtered: await filtered(),
  models,
  blocked: await failure(() => create(said.say, user(said.forbidden))),
  blocked_stream: await failure(() => streamed(said.say, user(said.forbidden))),
  unknown_key: await failure(() =>
    stranger.chat.completions.create({ model: said.say, messages: user("hi") }),
  ),
  unknown_model: await failure(() => create(said.nowhere, user("hi"))),
});
