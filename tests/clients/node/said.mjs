// What the Node programs say: the same as programs/said.py, which hands it over as JSON.

export const [baseURL, apiKey, words] = process.argv.slice(2);
export const said = JSON.parse(words);

/** The error that `call` throws: its class, status, code and words; empty when it throws none. */
export async function failure(call) {
  try {
    await call();
    return {};
  } catch (error) {
    return {
      module: "openai",
      error: error.constructor.name,
      kinds: [error.constructor.name],
      status: error.status ?? null,
      code: error.code ?? null,
      text: error.message,
    };
  }
}

export const called = (name, text) => ({ name, arguments: JSON.parse(text) });

export const tell = (seen) => console.log(JSON.stringify(seen));
