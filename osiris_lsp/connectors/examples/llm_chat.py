"""A question to a model, with a key or a token of OAuth, as the variables of the process say.

Run it with `python -m osiris_lsp.connectors.examples.llm_chat "Why is the sky blue?"`. It needs
`API_KEY`; or `AUTH_METHOD=oauth` with `OAUTH_ENDPOINT`, `OAUTH_CLIENT_ID` and
`OAUTH_CLIENT_SECRET`. `OPENAI_BASE_URL` leads to another server with the interface of OpenAI.
"""

import sys

from osiris_lsp.connectors import create_context, llm_connector


def main(question: str) -> None:
    """Ask whether it works, then once as a whole and once piece by piece."""
    context = create_context()
    health = llm_connector.check_connection(context)
    print("connection:", health.message)
    if not health:
        print(health.details["cause"])
        return
    messages = [{"role": "user", "content": question}]
    found = llm_connector.complete(messages, context, {"temperature": 0}, "low")
    print("answer:", found.content)
    print(f"cost: {found.metrics.cost} {found.metrics.currency}")
    with llm_connector.stream(messages, context) as pieces:
        print("again:", *pieces, sep="|")


if __name__ == "__main__":
    main(sys.argv[1])
