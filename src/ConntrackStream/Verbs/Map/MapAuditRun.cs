using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary>One run of <c>map audit</c>: two audits that count, then until every nominated key is settled.</summary>
internal sealed class MapAuditRun(string source, MapSettings settings, TimeSpan interval, bool json, CliContext context)
{
    private const int MostAttempts = 5; // audits in a row that do not count
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(20);

    private readonly MapOutcomeLines _outcomes = new(context, json);
    private MapCleaner? _cleaning;
    private MapReport? _report;
    private MapStatus? _status;

    /// <returns>The exit code; 1 when nothing could be said, as no entry has a flow here.</returns>
    /// <exception cref="FlowMapException">The map cannot be opened.</exception>
    /// <exception cref="IOException">No audit counted.</exception>
    internal async Task<int> RunAsync(NetworkNamespace networkNamespace, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        EbpfFlowMap.Open(source, settings.Mode == MapMode.Delete).Dispose(); // what is wrong with it is told at once
        MapOptions map = settings.ToOptions(source) with { OnOutcome = _outcomes.Write };
        _cleaning = new MapCleaner(map, networkNamespace, NullLogger<MapCleaner>.Instance);
        PipelineOptions options = new()
        {
            Stages = [_cleaning],
            AuditInterval = TimeSpan.FromDays(1), // audits come when this asks for them
        };
        BriefStream stream = new(networkNamespace, [], options, context.Time);
        await using (stream.ConfigureAwait(false))
        {
            await stream.StartAsync(interruption.Token).ConfigureAwait(false);
            try
            {
                await AuditAsync(interruption.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                await FinishArmedAsync().ConfigureAwait(false);
            }

            _status = _cleaning.Status;
        }

        return Conclude(networkNamespace);
    }

    private async Task AuditAsync(CancellationToken cancellation)
    {
        // The view's first round brings the first audit with it.
        while (_cleaning!.Status.LastAudit is null)
            await Task.Delay(Glance, context.Time, cancellation).ConfigureAwait(false);
        _report = _cleaning!.Status.LastAudit!.Problem is null
            ? _cleaning!.Status.LastAudit
            : await NextAuditAsync(cancellation).ConfigureAwait(false);
        Progress(string.Create(CultureInfo.InvariantCulture, $"{_report.Entries} entries, {_report.Missed} without a flow; the second "
            + $"audit follows in {interval.TotalSeconds} s"));
        await Task.Delay(interval, context.Time, cancellation).ConfigureAwait(false);
        _report = await NextAuditAsync(cancellation).ConfigureAwait(false);
        await SettleAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<MapReport> NextAuditAsync(CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            MapReport report = await _cleaning!.AuditAsync(cancellation).ConfigureAwait(false);
            if (report.Problem is null)
                return report;
            if (attempt == MostAttempts)
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{attempt} audits in a row did not count, the last "
                    + $"because {report.Problem}"));
            Progress($"this audit does not count: {report.Problem}; again");
        }
    }

    /// <summary>Until nothing waits any more; what another audit must decide gets one each interval.</summary>
    private async Task SettleAsync(CancellationToken cancellation)
    {
        long audited = context.Time.GetTimestamp();
        for (MapStatus status = _cleaning!.Status; status.HasMatched && status.Tombstones > status.Observed; status = _cleaning!.Status)
        {
            Progress(string.Create(CultureInfo.InvariantCulture, $"{status.Tombstones - status.Observed - status.Armed} entries wait for "
                + $"their grace, {status.Armed} can still be put back"));
            await Task.Delay(Glance, context.Time, cancellation).ConfigureAwait(false);
            if (context.Time.GetElapsedTime(audited) < interval + settings.Grace + settings.ArmedWindow)
                continue;
            _report = await NextAuditAsync(cancellation).ConfigureAwait(false);
            audited = context.Time.GetTimestamp();
        }
    }

    /// <summary>After Ctrl-C: what has been deleted keeps its full time in which it can be put back.</summary>
    private async Task FinishArmedAsync()
    {
        if (_cleaning!.Status.Armed is > 0 and int armed)
            context.Tell(string.Create(CultureInfo.InvariantCulture, $"interrupted; {armed} deleted entries can still be put back, so this "
                + $"waits for the end of their window ({settings.ArmedWindow.TotalSeconds} s)"));
        else
            context.Tell("interrupted");
        while (_cleaning!.Status.Armed > 0)
            await Task.Delay(Glance, context.Time, CancellationToken.None).ConfigureAwait(false);
    }

    private int Conclude(NetworkNamespace networkNamespace)
    {
        _outcomes.Flush();
        if (_report is not { } report || _status is not { Map: { } map } status)
            return ExitCode.Done;
        context.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"map {map.Source} (id {map.Id}, layout {map.Layout}): {report.Entries} entries; {report.Matched} with a flow, {report.Missed} "
                + $"without, {report.Young} young, {report.Junk} junk"));
        if (!status.HasMatched && report.Missed > 0)
        {
            context.Fail(
                $"refused: no entry whose interface is in {networkNamespace} has a flow there, so others look stale that are not: "
                + $"the wrong network namespace (--netns; as a rule it is the host's, /proc/1/ns/net), "
                + "or one whose traffic is not tracked");
            return ExitCode.Failed;
        }

        if (status.ExemptGroups.Count > 0)
            context.Tell(
                $"left alone, since none of their keys has ever matched a flow (NOTRACK?): "
                + $"{MapOutcomeLines.Describe(status.ExemptGroups)}");
        context.Tell(_outcomes.Summary(settings.Mode, status));
        return ExitCode.Done;
    }

    private void Progress(string message)
    {
        if (context.ErrorIsTerminal && message != _said)
            context.Tell(_said = message);
    }

    private string? _said;
}
