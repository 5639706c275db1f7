import { unreachable } from "#base/unreachable.ts";
import type { EventLog } from "#hub/event/verbs.ts";
import type { EventData } from "#wire/event.ts";
import { exitText } from "./exit.ts";
import { instanceKey, type WorldNews } from "./world.ts";

/** Writes what happened in the world into the event log. */
export function recordNews(events: EventLog, news: WorldNews, correlation: string): void {
  const service = news.kind === "switched" ? news.service : instanceKey(news.instance);
  const data = eventOf(news);
  if (data) events.note({ actor: "hub", correlation }, `service:${service}`, data);
}

function eventOf(news: WorldNews): EventData | undefined {
  switch (news.kind) {
    case "started": {
      const { id, labels } = news.instance;
      return { type: "instance.started", instance: id, spec: labels.spec, replica: labels.replica };
    }
    case "adopted":
      return { type: "instance.adopted", instance: news.instance.id, spec: news.instance.labels.spec };
    case "exited":
      return { type: "instance.exited", instance: news.instance.id, exit: exitText(news.exit) };
    case "stopped":
      return { type: "instance.stopped", instance: news.instance.id };
    case "health":
      return news.state.health === "healthy"
        ? { type: "instance.healthy", instance: news.instance.id }
        : { type: "instance.unhealthy", instance: news.instance.id, reason: news.state.reason };
    case "switched":
      return { type: "service.switched", spec: news.spec, targets: news.targets };
    default:
      return unreachable(news);
  }
}
