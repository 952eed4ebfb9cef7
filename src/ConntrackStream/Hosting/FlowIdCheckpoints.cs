using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Writes the ids of live flows to State:Directory now and then and at the end, so that a flow keeps its id over a restart, even after
/// kill -9: every five seconds when that is cheap, a large view less often, each minute at the latest, and never an unchanged one.
/// </summary>
internal sealed class FlowIdCheckpoints(FlowPipeline pipeline, string path, CheckpointIdentity identity, TimeProvider time, ILogger logger)
{
    private const double Share = 0.02; // of the time at most
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromMinutes(1);

    private sealed record Target(string Path, CheckpointIdentity Identity);

    private readonly RepeatLimit _warnings = new(TimeSpan.FromMinutes(5), time);
    private volatile Target _target = new(path, identity);
    private readonly CancellationTokenSource _stop = new();
    private Task _run = Task.CompletedTask;

    internal void Start() => _run = OwnThread.Run("flow-ids", Run);

    /// <summary>Another network namespace is followed: the ids of the old one's flows are of no more use.</summary>
    internal void Follow(StateDirectory state, NamespaceHold hold)
    {
        string old = System.IO.Path.GetFileName(_target.Path);
        _target = new Target(state.PathOf(hold.CheckpointName), hold.Checkpoint);
        if (old != hold.CheckpointName)
            state.TryDelete(old);
    }

    /// <summary>Writes a last one. Call while the pipeline still runs.</summary>
    internal async Task StopAsync(CancellationToken cancellation)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(false);
        _stop.Dispose();
        await TryWriteAsync(cancellation).ConfigureAwait(false);
    }

    private void Run()
    {
        using Pulse pulse = new(Shortest, time);
        long written = -1;
        long at = time.GetTimestamp();
        TimeSpan pause = Shortest;
        while (pulse.Wait(_stop.Token))
        {
            long changes = pipeline.Status.Changes;
            long began = time.GetTimestamp();
            if (changes == written || time.GetElapsedTime(at, began) < pause)
                continue;
            if (!TryWrite())
                return;
            written = changes;
            at = time.GetTimestamp();
            pause = TimeSpan.FromTicks(Math.Min((long)(time.GetElapsedTime(began, at).Ticks / Share), Longest.Ticks));
        }
    }

    /// <returns>False when it was stopped: <see cref="StopAsync"/> writes the last one.</returns>
    private bool TryWrite()
    {
        try
        {
            TryWriteAsync(_stop.Token).GetAwaiter().GetResult();
            return true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task TryWriteAsync(CancellationToken cancellation)
    {
        // Before the first proof the view lacks flows whose ids the old file still knows.
        if (!pipeline.Status.Synced)
            return;
        Target target = _target;
        try
        {
            using FlowCheckpointWriter writer = new(target.Path, target.Identity);
            await pipeline.QueryAsync(isWanted: null, batch => Add(batch, writer), cancellation).ConfigureAwait(false);
            writer.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_warnings.IsDue())
                ServiceLog.CheckpointFailed(logger, target.Path, e.Message);
        }
    }

    private static ValueTask Add(FlowChangeBatch batch, FlowCheckpointWriter writer)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            ref readonly Flow flow = ref change.Flow;
            writer.Add(new CheckpointedFlow
            {
                Original = flow.Original,
                Id = change.Id,
                StartTime = flow.Has(FlowFields.StartTime) ? flow.StartTime : flow.Has(FlowFields.EventTime) ? change.Start : 0,
                ConntrackId = flow.Id,
                HasCounters = flow.Has(FlowFields.Counters),
                Packets = flow.OriginalPackets + flow.ReplyPackets,
                Bytes = flow.OriginalBytes + flow.ReplyBytes,
            });
        }

        return ValueTask.CompletedTask;
    }
}
