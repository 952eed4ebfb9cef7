using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Summary;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>
/// <c>GET /v1/summary?interval=1s&amp;top=5</c> and the parameters of a filter: the table, explained. Most of it is read by one dump.
/// A few flows of it are found in the live view, in slices between the events, and the kernel is asked for each of them, as for
/// <c>/v1/flows</c>. Nothing is counted while no one asks.
/// </summary>
internal static class SummaryAnswer
{
    private const int Few = 4; // of the view's flows the share below which GETs cost less than a dump

    private static readonly string[] OwnParameters = ["interval", "top"];

    internal static async Task WriteAsync(HttpContext context, ApiBackend backend, TimeProvider time)
    {
        if (Read(context.Request.Query, out FlowFilter filter, out TimeSpan interval, out int top) is { } fault)
        {
            await fault.AnswerAsync(context).ConfigureAwait(false);
            return;
        }

        SummaryRecord summary;
        try
        {
            summary = await MakeAsync(backend, filter, interval, top, time, context.RequestAborted).ConfigureAwait(false);
        }
        catch (NetlinkException e)
        {
            await context.RefuseAsync(
                ProblemType.KernelSilent, $"the kernel was asked for its table as it is now: {e.Message}").ConfigureAwait(false);
            return;
        }

        await context.AnswerJsonAsync(summary.ToJson()).ConfigureAwait(false);
    }

    /// <summary>What is wrong with the request; null: nothing.</summary>
    internal static QueryFault? Read(IQueryCollection query, out FlowFilter filter, out TimeSpan interval, out int top)
    {
        string asked = query["interval"].FirstOrDefault() ?? "1s", count = query["top"].FirstOrDefault() ?? "5";
        top = 0;
        interval = default;
        return !FilterQuery.TryParse(query, OwnParameters, out filter, out QueryFault? fault) ? fault
            : !SummaryLimits.ParseInterval(asked, out interval) ? QueryFault.Bad("interval", asked, SummaryLimits.AllowedInterval)
            : !SummaryLimits.ParseTop(count, out top) ? QueryFault.Bad("top", count, SummaryLimits.AllowedTop)
            : null;
    }

    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal static async Task<SummaryRecord> MakeAsync(
        ApiBackend backend, FlowFilter filter, TimeSpan interval, int top, TimeProvider time, CancellationToken cancellation)
    {
        // on threads of their own: an answer may take as long as another program's flush of the table
        using TableReader table = await OwnThread.Run("api-summary", backend.OpenTable).ConfigureAwait(false);
        TableReading before = await OwnThread.Run("api-summary", table.Read).ConfigureAwait(false);
        TableTally tally = new(before.EstablishedTimeout);
        if (await AreFewAsync(backend, filter.Stable, cancellation).ConfigureAwait(false))
            await AskForEachAsync(backend, filter, tally, cancellation).ConfigureAwait(false);
        else
            await OwnThread.Run("api-summary", () => table.AddFlows(tally, filter, cancellation)).ConfigureAwait(false);
        TimeSpan left = interval - time.GetElapsedTime(before.At);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, time, cancellation).ConfigureAwait(false);
        TableReading after = await OwnThread.Run("api-summary", table.Read).ConfigureAwait(false);
        return SummaryBuilder.Build(
            tally, TableGrowth.Between(before, after, time), time.GetUtcNow(), "live", backend.NetworkNamespace, top);
    }

    private static async Task<bool> AreFewAsync(ApiBackend backend, FlowFilter filter, CancellationToken cancellation)
    {
        long all = backend.Status().View.Flows;
        return !filter.IsEmpty
            && (await backend.Query(filter, static _ => ValueTask.CompletedTask, cancellation).ConfigureAwait(false)).Rows < all / Few;
    }

    private static Task AskForEachAsync(ApiBackend backend, FlowFilter filter, TableTally tally, CancellationToken cancellation) =>
        backend.Query(
            filter.Stable,
            async seen =>
            {
                FlowChangeBatch rows = await backend.Ask(seen, cancellation).ConfigureAwait(false);
                Add(rows, filter, tally);
                rows.Release();
            },
            cancellation);

    private static void Add(FlowChangeBatch rows, FlowFilter filter, TableTally tally)
    {
        foreach (ref readonly FlowChange row in rows.Span)
        {
            if (filter.Matches(row.Flow))
                tally.Add(row.Flow);
        }
    }
}
