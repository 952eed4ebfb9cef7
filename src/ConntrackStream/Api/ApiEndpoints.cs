using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace ConntrackStream.Service.Api;

/// <summary>
/// <c>GET /v1/flows</c> (NDJSON, or text with <c>?format=text</c>), <c>/v1/count</c>, <c>/v1/rates</c>, <c>/v1/status</c>, <c>/metrics</c>,
/// <c>/v1/tombstones?limit=N</c> (NDJSON; the header <c>X-Total-Count</c> tells how many there are in all), <c>/healthz</c>,
/// <c>/readyz</c>.
/// </summary>
internal static class ApiEndpoints
{
    internal const string TotalHeader = "X-Total-Count";
    internal const int MostTombstones = 65536;

    private static readonly string[] FormatParameters = ["format", "id", "extended", "timestamp", "ktimestamp", "labels"];
    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(5);

    internal static void Map(WebApplication app, ApiBackend backend, ApiConnections connections, TimeProvider time)
    {
        app.Use((context, next) =>
        {
            connections.Touch(PlaceOf(context));
            return next(context);
        });
        app.UseRouting();
        app.MapGet("/v1/flows", Limited(connections, context => FlowsAsync(context, backend)));
        app.MapGet("/v1/count", Limited(connections, context => CountAsync(context, backend)));
        app.MapGet("/v1/tombstones", Limited(connections, context => TombstonesAsync(context, backend)));
        app.MapGet("/v1/rates", Limited(connections, context => RatesAsync(context, backend, time)));
        app.MapGet("/v1/summary", Limited(connections, context => SummaryAnswer.WriteAsync(context, backend, time)));
        app.MapGet("/v1/status", context => StatusAsync(context, backend));
        app.MapGet("/metrics", context => MetricsAsync(context, backend));
        app.MapGet("/healthz", context => HealthAsync(context, backend, time));
        app.MapGet("/readyz", context =>
        {
            bool isReady = backend.Status().Synced;
            return AnswerAsync(
                context,
                isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
                isReady ? "ready\n" : "not synchronised\n");
        });
    }

    /// <summary>Of a request whose answer may be of any length.</summary>
    private static RequestDelegate Limited(ApiConnections connections, RequestDelegate answer) => async context =>
    {
        LinkedListNode<ApiConnection> place = PlaceOf(context);
        if (!connections.TryBeginAnswer(place))
        {
            await AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable,
                "as many answers as are allowed (Api:MaxConnections) are on their way; try again\n")
                .ConfigureAwait(false);
            return;
        }

        try
        {
            await answer(context).ConfigureAwait(false);
        }
        finally
        {
            connections.EndAnswer(place);
        }
    };

    private static LinkedListNode<ApiConnection> PlaceOf(HttpContext context) =>
        context.Features.GetRequiredFeature<LinkedListNode<ApiConnection>>();

    private static async Task FlowsAsync(HttpContext context, ApiBackend backend)
    {
        if (await ReadFilterAsync(context).ConfigureAwait(false) is not { } filter)
            return;
        IQueryCollection query = context.Request.Query;
        string format = query["format"].FirstOrDefault() ?? "json";
        if (format is not ("json" or "text"))
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, $"format: '{format}' is not json or text\n").ConfigureAwait(false);
            return;
        }

        OutputFormat output = new()
        {
            Json = format == "json",
            Id = query.ContainsKey("id"),
            Extended = query.ContainsKey("extended"),
            Timestamp = query.ContainsKey("timestamp"),
            KernelTimestamps = query.ContainsKey("ktimestamp"),
            Labels = query.ContainsKey("labels"),
        };
        LineOutput lines;
        try
        {
            lines = new LineOutput(context.Response.Body, output, backend.NetworkNamespace);
        }
        catch (IOException e) // the file of label names
        {
            await AnswerAsync(context, StatusCodes.Status500InternalServerError, e.Message + "\n").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = output.Json ? "application/x-ndjson" : "text/plain; charset=utf-8";
        await AskAsync(context, backend, filter, rows => WriteAsync(rows, lines, filter, context.RequestAborted)).ConfigureAwait(false);
    }

    private static async Task WriteAsync(FlowChangeBatch rows, LineOutput lines, FlowFilter filter, CancellationToken cancellation)
    {
        for (int i = 0; i < rows.Count; i++)
        {
            if (!filter.Matches(rows.Span[i].Flow))
                continue;
            if (lines.IsFull)
                await lines.FlushAsync(cancellation).ConfigureAwait(false);
            lines.Write(rows.Span[i]);
        }

        await lines.FlushAsync(cancellation).ConfigureAwait(false);
    }

    private static async Task CountAsync(HttpContext context, ApiBackend backend)
    {
        if (await ReadFilterAsync(context).ConfigureAwait(false) is not { } filter)
            return;
        long count = 0;
        if (filter.IsEmpty)
        {
            count = backend.Status().View.Flows;
        }
        else if (filter.IsStable)
        {
            count = (await backend.Query(filter, static _ => ValueTask.CompletedTask, context.RequestAborted).ConfigureAwait(false)).Rows;
        }
        else if (!await AskAsync(context, backend, filter, Count).ConfigureAwait(false))
        {
            return;
        }

        await AnswerAsync(
            context, StatusCodes.Status200OK, string.Create(CultureInfo.InvariantCulture, $"{count}\n")).ConfigureAwait(false);

        Task Count(FlowChangeBatch rows)
        {
            foreach (ref readonly FlowChange row in rows.Span)
                count += filter.Matches(row.Flow) ? 1 : 0;
            return Task.CompletedTask;
        }
    }

    /// <summary>
    /// Reads the view and asks the kernel for each of its rows: what changes in a flow's life is the kernel's own answer, never the view's,
    /// and a filter on it is asked of that answer.
    /// </summary>
    /// <returns>False when the kernel does not answer, which is the request's answer then.</returns>
    /// <exception cref="NetlinkException">
    /// It stopped answering when some rows had been sent: the answer breaks off, which the client sees.
    /// </exception>
    private static async Task<bool> AskAsync(HttpContext context, ApiBackend backend, FlowFilter filter, Func<FlowChangeBatch, Task> onRows)
    {
        try
        {
            await backend.Query(
                filter.Stable,
                async seen =>
                {
                    FlowChangeBatch rows = await backend.Ask(seen, context.RequestAborted).ConfigureAwait(false);
                    await onRows(rows).ConfigureAwait(false);
                    rows.Release();
                },
                context.RequestAborted).ConfigureAwait(false);
            return true;
        }
        catch (NetlinkException e) when (!context.Response.HasStarted)
        {
            await AnswerAsync(
                context, StatusCodes.Status503ServiceUnavailable, $"the kernel was asked for the flows as they are now: {e.Message}\n")
                .ConfigureAwait(false);
            return false;
        }
    }

    private static Task RatesAsync(HttpContext context, ApiBackend backend, TimeProvider time) =>
        RatesAnswer.Read(context.Request.Query, out TimeSpan interval, out int top) is { } fault
            ? AnswerAsync(context, StatusCodes.Status400BadRequest, fault + "\n")
            : RatesAnswer.WriteAsync(context, backend, interval, top, time);

    private static Task StatusAsync(HttpContext context, ApiBackend backend)
    {
        context.Response.ContentType = "application/json";
        byte[] json = [.. JsonSerializer.SerializeToUtf8Bytes(backend.Status(), ApiJson.Default.ServiceStatus), (byte)'\n'];
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }

    private static async Task TombstonesAsync(HttpContext context, ApiBackend backend)
    {
        string asked = context.Request.Query["limit"].FirstOrDefault() ?? "1000";
        if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) || limit > MostTombstones)
        {
            await AnswerAsync(
                context,
                StatusCodes.Status400BadRequest,
                $"limit: '{asked}' is not a number from 0 to {MostTombstones}\n").ConfigureAwait(false);
            return;
        }

        if (backend.Tombstones is not { } tombstones)
        {
            await AnswerAsync(
                context,
                StatusCodes.Status404NotFound,
                "the service keeps no eBPF map clean: none is configured (Map:Path)\n").ConfigureAwait(false);
            return;
        }

        TombstoneList list = await tombstones(limit, context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers[TotalHeader] = list.Total.ToString(CultureInfo.InvariantCulture);
        foreach (TombstoneView tombstone in list.Shown)
            await context.Response.WriteAsync(TombstoneRecord.Of(tombstone).ToJson() + "\n", context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task MetricsAsync(HttpContext context, ApiBackend backend)
    {
        MetricsFormat format = MetricsFormats.Choose(context.Request.GetTypedHeaders().Accept);
        await backend.RefreshMetrics(context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = format.ContentType();
        context.Response.Headers.Vary = HeaderNames.Accept;
        await context.Response.WriteAsync(PrometheusText.Write(backend.Metrics(), format), context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task HealthAsync(HttpContext context, ApiBackend backend, TimeProvider time)
    {
        try
        {
            bool isHealthy = await backend.IsHealthy(context.RequestAborted).WaitAsync(
                HealthPatience, time, context.RequestAborted).ConfigureAwait(false);
            int status = isHealthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            await AnswerAsync(context, status, isHealthy ? "ok\n" : "failed\n").ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "the pipeline does not answer\n").ConfigureAwait(false);
        }
    }

    /// <summary>The request's filter; null when it was refused and answered.</summary>
    private static async Task<FlowFilter?> ReadFilterAsync(HttpContext context)
    {
        if (FilterQuery.TryParse(context.Request.Query, FormatParameters, out FlowFilter filter, out string error))
            return filter;
        await AnswerAsync(context, StatusCodes.Status400BadRequest, error + "\n").ConfigureAwait(false);
        return null;
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
