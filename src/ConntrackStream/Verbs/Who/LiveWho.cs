using System.Text;
using ConntrackStream.Service.Api;
using ConntrackStream.Sinks.Archive.Who;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>The question asked of the running service's live view: flows that are alive now.</summary>
internal static class LiveWho
{
    /// <param name="filterQuery">The question's filter as a query string.</param>
    internal static async Task<WhoAnswer> AskAsync(
        WhoQuestion question, string socket, string filterQuery, CancellationToken cancellation)
    {
        LifeTable table = new(question, 0, 0, socket);
        string needle = Encoding.ASCII.GetString(question.Needle());
        long bytes = 0;
        await ApiClient.FlowsAsync(socket, filterQuery, line =>
        {
            bytes += line.Length + 1;
            if (line.Contains(needle, StringComparison.Ordinal))
                table.Add(Encoding.UTF8.GetBytes(line), isGap: false);
        }, cancellation).ConfigureAwait(false);
        WhoVerdict verdict = new(question);
        ServiceStatus? status = await ApiClient.TryStatusAsync(socket, cancellation).ConfigureAwait(false);
        if (status is not { Synced: true })
            verdict.Add("not_synced", socket, "the live view is not proven equal to the kernel's table at the moment");
        if (table.BadLines > 0)
            verdict.Add("unreadable", socket, $"the service's answer has lines that cannot be read: {table.FirstProblem}");
        if (table.IsFull)
            verdict.Add("too_many_flows", socket, "more flows match than can be kept in memory: name a port, or use filters");
        FlowLife[] flows = [.. table.Lives.Values.OrderBy(static life => life.Start)];
        return new WhoAnswer(
            flows, verdict.Missing, ["the live view has the flows that are alive now; flows that have ended are in the log"],
            Files: 0, bytes);
    }
}
