using System.Globalization;
using System.Text.Json;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ConntrackStream.Service.Api;

/// <summary>How the service is: status, metrics, health, and what it is about to delete.</summary>
internal sealed class StateAnswers(ApiBackend backend, TimeProvider time)
{
    internal const string TotalHeader = "X-Total-Count";
    internal const int MostTombstones = 65536;

    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(5);
    private static readonly ValueOption.TryParse<int> ParseLimit = ValueOption.Number(0, MostTombstones);

    internal Task StatusAsync(HttpContext context) => context.AnswerJsonAsync(
        [.. JsonSerializer.SerializeToUtf8Bytes(backend.Status(), ApiJson.Default.ServiceStatus), (byte)'\n']);

    internal async Task MetricsAsync(HttpContext context)
    {
        MetricsFormat format = MetricsFormats.Choose(context.Request.GetTypedHeaders().Accept);
        await backend.RefreshMetrics(context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = format.ContentType();
        context.Response.Headers.Vary = HeaderNames.Accept;
        await context.Response.WriteAsync(PrometheusText.Write(backend.Metrics(), format), context.RequestAborted).ConfigureAwait(false);
    }

    internal async Task HealthAsync(HttpContext context)
    {
        string problem = "the pipeline has failed; the service's log has the reason";
        try
        {
            Task<bool> answer = backend.IsHealthy(context.RequestAborted);
            if (await answer.WaitAsync(HealthPatience, time, context.RequestAborted).ConfigureAwait(false))
            {
                await context.AnswerJsonAsync("{\"status\":\"ok\"}\n").ConfigureAwait(false);
                return;
            }
        }
        catch (TimeoutException)
        {
            problem = "the pipeline does not answer; restart the service if this lasts";
        }

        await context.RefuseAsync(ProblemType.Unhealthy, problem).ConfigureAwait(false);
    }

    internal Task ReadyAsync(HttpContext context) => backend.Status().Synced
        ? context.AnswerJsonAsync("{\"status\":\"ready\"}\n")
        : context.RefuseAsync(ProblemType.NotReady, "a comparison with the kernel's table is under way or due; /v1/status has the reason");

    internal async Task TombstonesAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        string format = query["format"].FirstOrDefault() ?? "json", asked = query["limit"].FirstOrDefault() ?? "1000";
        QueryFault? fault =
            query.Keys.FirstOrDefault(static key => key is not ("limit" or "format")) is { } unknown
                ? QueryFault.Unknown(unknown, ["limit", "format"])
            : QueryFault.Repeated(query) is { } repeated ? repeated
            : format is not ("json" or "ndjson") ? QueryFault.Bad("format", format, "json or ndjson")
            : null;
        int limit = 0;
        if (fault is null && !ParseLimit(asked, out limit))
            fault = QueryFault.Bad("limit", asked, $"a number from 0 to {MostTombstones}");
        if (fault is not null)
        {
            await fault.AnswerAsync(context).ConfigureAwait(false);
        }
        else if (backend.Tombstones is not { } tombstones)
        {
            await context.RefuseAsync(
                ProblemType.NotConfigured, "the service keeps no eBPF map clean: none is configured (Map:Path)").ConfigureAwait(false);
        }
        else
        {
            TombstoneList list = await tombstones(limit, context.RequestAborted).ConfigureAwait(false);
            await WriteAsync(context, list, isWhole: format == "json").ConfigureAwait(false);
        }
    }

    private static async Task WriteAsync(HttpContext context, TombstoneList list, bool isWhole)
    {
        context.Response.ContentType = isWhole ? "application/json" : "application/x-ndjson";
        string total = list.Total.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[TotalHeader] = total;
        string before = isWhole ? $"{{\"total\":{total},\"tombstones\":[\n" : "";
        foreach (TombstoneView tombstone in list.Shown)
        {
            string text = before + TombstoneRecord.Of(tombstone).ToJson() + (isWhole ? "" : "\n");
            before = isWhole ? ",\n" : "";
            await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
        }

        if (isWhole)
        {
            string end = list.Shown.Any() ? "\n]}\n" : before + "]}\n";
            await context.Response.WriteAsync(end, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
