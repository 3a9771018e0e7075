// The score of a text as a heat map: how many nats each token costs.
import type { Unmask } from "../package/src/model";
import { element } from "./options";

const hottest = 12; // nats

export async function showScore(model: Unmask): Promise<void> {
  const text = element<HTMLTextAreaElement>("score-text").value;
  const map = element("score-map");
  const sum = element("score-sum");
  if (text.trim() === "") {
    sum.textContent = "There is no text to score.";
    return;
  }
  sum.textContent = "scoring …";
  const score = await model.score(text);
  map.replaceChildren(...score.texts.map((token, i) => {
    const span = document.createElement("span");
    span.textContent = token;
    span.style.setProperty("--heat", Math.min(1, Math.max(0, score.per_token[i] / hottest)).toFixed(3));
    span.title = `${score.per_token[i].toFixed(2)} nats, probability ${(100 * Math.exp(-score.per_token[i])).toPrecision(2)} %`;
    return span;
  }));
  const bound = score.exact ? "exactly" : `estimated, ± ${(score.std_err ?? 0).toFixed(1)}`;
  sum.textContent = `${score.nelbo.toFixed(1)} nats (${bound}) over ${score.tokens} tokens: perplexity ${score.ppl.toFixed(1)}, ${score.bits_per_byte.toFixed(2)} bits a byte`;
}
