using System.Diagnostics;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>Many connections of one kind to one server, whose address then comes into the set of wan2; and how each fared.</summary>
internal sealed class MoveRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TrafficServer _server;
    private readonly List<MovingFlow> _flows = [];
    private Task _running = Task.CompletedTask;
    private long _began;

    private MoveRun(UplinkRig rig, IPEndPoint server) => _server = new TrafficServer(rig.Server, server);

    internal IReadOnlyList<MovingFlow> Flows => _flows;

    internal TrafficServer Server => _server;

    /// <summary>Opens so many connections from <paramref name="from"/>, by wan1, and lets them go on.</summary>
    internal static async Task<MoveRun> OpenAsync(UplinkRig rig, KernelNamespace from, TrafficKind kind, IPAddress server, int flows)
    {
        IPEndPoint to = new(server, 443);
        MoveRun run = new(rig, to);
        try
        {
            for (int i = 0; i < flows; i++)
                run._flows.Add(await MovingFlow.OpenAsync(from, to, kind, TestContext.Current.CancellationToken));
            Assert.All(run._flows, static flow => Assert.Equal(1, flow.Uplink));
            run._running = Task.WhenAll(run._flows.Select(flow => flow.RunAsync(run._wake.Task, run._stop.Token)));
            run._began = Stopwatch.GetTimestamp();
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>The moment from which times are counted: that of the move.</summary>
    internal void Begin() => _began = Stopwatch.GetTimestamp();

    /// <summary>Clients that sleep send or read from now on.</summary>
    internal void Wake() => _wake.TrySetResult();

    /// <summary>How all fared, once all have moved; else after some time.</summary>
    /// <param name="patience">How long they may take to move.</param>
    /// <param name="hangsAfter">How long a connection may carry nothing after that. Default 5 s.</param>
    internal async Task<MoveResult> ResultAsync(TimeSpan patience, TimeSpan? hangsAfter = null)
    {
        if (!await WaitAsync(static flow => flow.HasMoved, patience))
        {
            _flows.ForEach(static flow => flow.Note());
            await WaitAsync(static flow => flow.HasGoneOn, hangsAfter ?? TimeSpan.FromSeconds(5));
        }

        return new MoveResult
        {
            Flows = _flows.Count,
            Moved = _flows.Count(static flow => flow.HasMoved),
            Stayed = _flows.Count(static flow => flow.Resets.Length == 0 && flow.HasGoneOn),
            ResetAgain = _flows.Count(static flow => flow.Resets.Length > 1),
            Failed = _flows.Count(static flow => flow.Failure is not null),
            Hung = _flows.Count(static flow => flow.Failure is null && !flow.HasGoneOn),
            ServersReset = _server.Reset,
            Times = [.. _flows.SelectMany(static flow => flow.Resets).Select(at => Stopwatch.GetElapsedTime(_began, at)).Order()],
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _flows.ForEach(static flow => flow.Dispose());
        await _server.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<bool> WaitAsync(Func<MovingFlow, bool> isSo, TimeSpan limit)
    {
        long began = Stopwatch.GetTimestamp();
        while (!_flows.TrueForAll(flow => isSo(flow)))
        {
            if (Stopwatch.GetElapsedTime(began) > limit)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(10), TestContext.Current.CancellationToken);
        }

        return true;
    }
}
