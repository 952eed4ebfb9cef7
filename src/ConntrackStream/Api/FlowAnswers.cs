using System.Globalization;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>
/// Flows of the live view. What changes in a flow's life is the kernel's own answer, never the view's, and a filter on it is asked of that
/// answer.
/// </summary>
internal sealed class FlowAnswers(ApiBackend backend)
{
    private const int MostOfPage = 10_000, DefaultOfPage = 1000, LeastAtOnce = 64, MostSkipped = 100_000_000;

    private static readonly string[] TextParameters = ["id", "extended", "timestamp", "ktimestamp", "labels"];

    private static readonly string[] FormatParameters = ["format", "limit", "cursor", "skip", .. TextParameters];

    private static readonly ValueOption.TryParse<int> ParseLimit = ValueOption.Number(1, MostOfPage);
    private static readonly ValueOption.TryParse<int> ParseSkip = ValueOption.Number(0, MostSkipped);

    private readonly FlowChangeBatchPool _seen = new(kept: 1);
    private readonly ulong _run = HashSeed.Random().A; // no two services give the same cursors

    internal Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        if (!FilterQuery.TryParse(query, FormatParameters, out FlowFilter filter, out QueryFault? fault))
            return fault!.AnswerAsync(context);
        string format = query["format"].FirstOrDefault() ?? "json";
        if (format == "json")
        {
            return query.Keys.FirstOrDefault(static key => TextParameters.Contains(key, StringComparer.Ordinal)) is { } ofText
                ? new QueryFault(ProblemType.BadParameter, ofText, $"{ofText}: only with format=text").AnswerAsync(context)
                : PageAsync(context, filter);
        }

        if (format is not ("ndjson" or "text"))
            return QueryFault.Bad("format", format, "json, ndjson or text").AnswerAsync(context);
        return query.Keys.FirstOrDefault(static key => key is "limit" or "cursor" or "skip") is { } ofPage
            ? new QueryFault(ProblemType.BadParameter, ofPage, $"{ofPage}: only with format=json; {format} has all flows")
                .AnswerAsync(context)
            : LinesAsync(context, filter, isJson: format == "ndjson");
    }

    internal async Task CountAsync(HttpContext context)
    {
        if (!FilterQuery.TryParse(context.Request.Query, [], out FlowFilter filter, out QueryFault? fault))
        {
            await fault!.AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        long count = 0;
        if (filter.IsEmpty)
        {
            count = backend.Status().View.Flows;
        }
        else if (filter.IsStable)
        {
            count = (await backend.Query(filter, static _ => ValueTask.CompletedTask, context.RequestAborted).ConfigureAwait(false)).Rows;
        }
        else if (!await AskAllAsync(context, filter, Count).ConfigureAwait(false))
        {
            return;
        }

        await context.AnswerJsonAsync(string.Create(CultureInfo.InvariantCulture, $"{{\"count\":{count}}}\n")).ConfigureAwait(false);

        ValueTask Count(FlowChangeBatch rows)
        {
            foreach (ref readonly FlowChange row in rows.Span)
                count += filter.Matches(row.Flow) ? 1 : 0;
            return ValueTask.CompletedTask;
        }
    }

    internal async Task FindByIdAsync(HttpContext context)
    {
        string text = (string)context.Request.RouteValues["id"]!;
        if (context.Request.Query.Keys.FirstOrDefault() is { } unknown)
            await QueryFault.Unknown(unknown, []).AnswerAsync(context).ConfigureAwait(false);
        else if (!FlowId.TryParse(text, out FlowId id))
            await QueryFault.Bad("id", text, "a flow_id, as records and lists have it").AnswerAsync(context).ConfigureAwait(false);
        else
            await OneAsync(context, await backend.FindById(id, context.RequestAborted).ConfigureAwait(false), $"flow {id}")
                .ConfigureAwait(false);
    }

    internal async Task FindByTupleAsync(HttpContext context)
    {
        if (!TupleQuery.TryParse(context.Request.Query, out FlowTuple tuple, out QueryFault? fault))
        {
            await fault!.AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        FlowChange? found = await backend.FindByTuple(tuple, context.RequestAborted).ConfigureAwait(false)
            ?? await backend.FindByTuple(TupleQuery.Inverse(tuple), context.RequestAborted).ConfigureAwait(false);
        await OneAsync(context, found, "flow with this tuple").ConfigureAwait(false);
    }

    /// <summary>A flow as it is now; 404 if the view has none, or the kernel has it no more.</summary>
    private async Task OneAsync(HttpContext context, FlowChange? found, string what)
    {
        if (found is not { } flow)
        {
            await context.RefuseAsync(
                ProblemType.NoSuchFlow, $"the live view has no {what}: it has ended, or never was; the flow log has those that have ended")
                .ConfigureAwait(false);
            return;
        }

        FlowChangeBatch seen = _seen.Rent();
        seen.Add() = flow;
        try
        {
            FlowChangeBatch rows = await backend.Ask(seen, context.RequestAborted).ConfigureAwait(false);
            seen.Release();
            if (rows.Count == 0)
            {
                rows.Release();
                await context.RefuseAsync(ProblemType.NoSuchFlow, $"the kernel has no {what} any more: it has just ended")
                    .ConfigureAwait(false);
                return;
            }

            LineOutput line = new(context.Response.Body, new OutputFormat { Json = true }, backend.NetworkNamespace);
            line.Write(rows.Span[0]);
            rows.Release();
            context.Response.ContentType = "application/json";
            await line.FlushAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (NetlinkException e) when (!context.Response.HasStarted)
        {
            await RefuseForKernelAsync(context, e).ConfigureAwait(false);
        }
    }

    private async Task LinesAsync(HttpContext context, FlowFilter filter, bool isJson)
    {
        IQueryCollection query = context.Request.Query;
        OutputFormat output = new()
        {
            Json = isJson,
            Id = IsOn("id"),
            Extended = IsOn("extended"),
            Timestamp = IsOn("timestamp"),
            KernelTimestamps = IsOn("ktimestamp"),
            Labels = IsOn("labels"),
        };
        if (TextParameters.FirstOrDefault(name => query[name].FirstOrDefault() is not (null or "" or "true" or "false")) is { } wrong)
        {
            await QueryFault.Bad(wrong, query[wrong], "true or false; no value is true").AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        LineOutput lines;
        try
        {
            lines = new LineOutput(context.Response.Body, output, backend.NetworkNamespace);
        }
        catch (IOException e) // the file of label names
        {
            await context.RefuseAsync(ProblemType.Internal, e.Message, "labels").ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = output.Json ? "application/x-ndjson" : "text/plain; charset=utf-8";
        await AskAllAsync(context, filter, rows => WriteAsync(rows, lines, filter, context.RequestAborted)).ConfigureAwait(false);

        bool IsOn(string name) => query[name].FirstOrDefault() is "" or "true";
    }

    private static async ValueTask WriteAsync(FlowChangeBatch rows, LineOutput lines, FlowFilter filter, CancellationToken cancellation)
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

    /// <summary>So many flows, and where the next page begins.</summary>
    private async Task PageAsync(HttpContext context, FlowFilter filter)
    {
        IQueryCollection query = context.Request.Query;
        string asked = query["limit"].FirstOrDefault() ?? DefaultOfPage.ToString(CultureInfo.InvariantCulture);
        string? cursor = query["cursor"].FirstOrDefault();
        string passed = query["skip"].FirstOrDefault() ?? "0";
        PageCursor at = new(_run, FlowPosition.Start);
        if (!ParseLimit(asked, out int limit))
        {
            await QueryFault.Bad("limit", asked, $"a number from 1 to {MostOfPage}").AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        if (!ParseSkip(passed, out int skip))
        {
            await QueryFault.Bad("skip", passed, $"a number from 0 to {MostSkipped}").AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        if (skip > 0 && !filter.IsStable)
        {
            await new QueryFault(
                ProblemType.BadParameter, "skip", "skip: not with mark, state or status: which flows match only the kernel's answer shows")
                .AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        if (cursor is not null && !PageCursor.TryParse(cursor, out at))
        {
            await QueryFault.Bad("cursor", cursor, "a next_cursor of this list").AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        if (at.Run != _run)
        {
            await context.RefuseAsync(
                ProblemType.StaleCursor, "cursor: the service has been restarted since; begin again without it", "cursor")
                .ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "application/json";
        await AskPageAsync(context, filter, limit, skip, at).ConfigureAwait(false);
    }

    private async Task AskPageAsync(HttpContext context, FlowFilter filter, int limit, int skip, PageCursor at)
    {
        FlowPageAnswer answer = new(context.Response.Body, backend.NetworkNamespace);
        int atOnce = Math.Clamp(limit, LeastAtOnce, FlowChangeBatch.Capacity);
        PageCursor? next = null;
        bool isWhole = await TryAskAsync(
            context,
            () => backend.Walk(filter.Stable, at.Position, skip, atOnce, TakeAsync, context.RequestAborted)).ConfigureAwait(false);
        if (!isWhole)
            return;
        answer.End(next);
        await answer.FlushAsync(context.RequestAborted).ConfigureAwait(false);

        async ValueTask<bool> TakeAsync(FlowPage page)
        {
            FlowChangeBatch rows = await backend.Ask(page.Batch, context.RequestAborted).ConfigureAwait(false);
            FlowId last = default;
            for (int i = 0; i < rows.Count && answer.Count < limit; i++)
            {
                if (!filter.Matches(rows.Span[i].Flow))
                    continue;
                answer.Add(rows.Span[i]);
                last = rows.Span[i].Id;
            }

            rows.Release();
            if (answer.IsFull)
                await answer.FlushAsync(context.RequestAborted).ConfigureAwait(false);
            if (answer.Count < limit)
                return true;
            next = at with { Position = page.After(IndexOf(page.Batch, last)) };
            return false;
        }
    }

    private static int IndexOf(FlowChangeBatch batch, FlowId id)
    {
        int at = 0;
        while (batch.Span[at].Id != id)
            at++;
        return at;
    }

    /// <summary>Reads the view and asks the kernel for each of its rows.</summary>
    /// <returns>False when the kernel does not answer, which is the request's answer then.</returns>
    private Task<bool> AskAllAsync(HttpContext context, FlowFilter filter, Func<FlowChangeBatch, ValueTask> onRows) => TryAskAsync(
        context,
        () => backend.Query(
            filter.Stable,
            async seen =>
            {
                FlowChangeBatch rows = await backend.Ask(seen, context.RequestAborted).ConfigureAwait(false);
                await onRows(rows).ConfigureAwait(false);
                rows.Release();
            },
            context.RequestAborted));

    /// <exception cref="NetlinkException">
    /// The kernel stopped answering when some rows had been sent: the answer breaks off, which the client sees.
    /// </exception>
    private static async Task<bool> TryAskAsync(HttpContext context, Func<Task> ask)
    {
        try
        {
            await ask().ConfigureAwait(false);
            return true;
        }
        catch (NetlinkException e) when (!context.Response.HasStarted)
        {
            await RefuseForKernelAsync(context, e).ConfigureAwait(false);
            return false;
        }
    }

    private static Task RefuseForKernelAsync(HttpContext context, NetlinkException failure) =>
        context.RefuseAsync(ProblemType.KernelSilent, $"the kernel was asked for the flows as they are now: {failure.Message}");
}
