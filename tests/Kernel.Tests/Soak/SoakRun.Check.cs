using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

// The verdict.
internal sealed partial class SoakRun
{
    // Two; one more for a key shared by several flows; one while the last tombstones close;
    // and one that first finds a key whose end was not seen.
    private const int MostAudits = 5;

    private readonly FlowBatchPool _pool = new();

    /// <summary>What was found wrong; empty when all is well.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Entries of live flows that were absent at a checkpoint, or before their flow ended, and stayed so.</summary>
    public HashSet<MapKey> FalseDeletes => _driver.Absent;

    /// <summary>
    /// Entries without a flow that were there at a checkpoint, two audits and a grace after the last change or the last hold.
    /// </summary>
    public HashSet<MapKey> StaleLeft { get; } = [];

    /// <summary>
    /// Audits that counted until no stale entry was left, once the last hold could be over, at the checkpoint that took most.
    /// </summary>
    public int LongestWait { get; private set; }

    /// <summary>
    /// The traffic rests; once two audits have counted, the grace and all holds are over, map, kernel and model must agree.
    /// </summary>
    private async Task CheckAsync(CancellationToken cancelled)
    {
        _driver.Rest();
        while (_driver.Unsure > 0)
        {
            _driver.Settle();
            _driver.KeepAlive();
            await Task.Delay(10, cancelled);
        }

        CompareKernel();
        long held = _driver.LongestHold,
            quiet = SoakClock.Now,
            grace = SoakClock.Of(_options.Grace),
            patience = SoakClock.Of(TimeSpan.FromSeconds(90));
        HashSet<MapKey> keys = [], stale = [];
        int audits = 0;
        do
        {
            await Task.Delay(10, cancelled);
            _driver.KeepAlive();
            audits = _audits.Between(quiet, SoakClock.Now - grace);
            bool isBusy = audits < 2 || Status.Tombstones > 0 || (Status.Held > 0 && SoakClock.Now < held) || Observer.HasSuspects;
            if (isBusy && SoakClock.Now - quiet < patience)
                continue;
            keys = _node.Map.Keys();
            if (!_driver.IsSure)
                continue;
            stale = [.. keys.Where(key => _model.Entries[key].Live == 0)];
            audits = _audits.Between(held, SoakClock.Now - grace);
            if (stale.Count == 0 || audits > MostAudits || SoakClock.Now - quiet >= patience)
                break;
        }
        while (Observer.GoneEarly.IsEmpty);

        if (!Observer.GoneEarly.IsEmpty)
            return; // the run has failed, and what is held is of no interest any more
        LongestWait = Math.Max(LongestWait, audits);
        Judge(keys, stale, audits);
        Tell(string.Create(CultureInfo.InvariantCulture, $"; checkpoint with {keys.Count:N0} entries: {Faults.Count} faults"));
    }

    private void Judge(HashSet<MapKey> keys, HashSet<MapKey> stale, int audits)
    {
        FalseDeletes.UnionWith(
            _model.Entries.Values.Where(entry => entry.Live > 0 && !keys.Contains(entry.Key)).Select(entry => entry.Key));
        StaleLeft.UnionWith(stale);
        long now = SoakClock.Now;
        foreach (SoakEntry entry in FalseDeletes.Select(key => _model.Entries[key]))
            AddFault(
                entry,
                $"the entry of a live flow is absent",
                $"alive for {(now - entry.LiveSince) / 1e6:F0} ms, taken {(now - entry.TakenAt) / 1e6:F0} ms ago");
        foreach (SoakEntry entry in stale.Select(key => _model.Entries[key]))
            AddFault(entry, $"an entry without a flow is left after {audits} audits", $"stale for {(now - entry.StaleSince) / 1e6:F0} ms");
    }

    private void AddFault(SoakEntry entry, FormattableString what, FormattableString since) => Faults.Add(
        $"{FormattableString.Invariant(what)}: {EvidenceText.Describe(entry.Key)}, {FormattableString.Invariant(since)}");

    /// <summary>The model must not be wrong by itself.</summary>
    private void CompareKernel()
    {
        HashSet<FlowTuple> kernel, model;
        do
        {
            _driver.KeepAlive();
            kernel = KernelFlows();
            model = [.. _model.Open.Select(flow => flow.Original)];
        }
        while (!_driver.IsSure); // the machine has kept the driver from renewing timers: what has run out, it notices now

        Assert.True(
            kernel.SetEquals(model),
            $"{kernel.Except(model).Count()} flows are in the kernel and not in the model, {model.Except(kernel).Count()} the other way "
            + $"round, of {model.Count}");
    }

    private HashSet<FlowTuple> KernelFlows()
    {
        HashSet<FlowTuple> flows = [];
        _node.Table.Dump(
            FlowFamily.IPv4,
            _pool,
            batch =>
            {
                foreach (ref readonly FlowEvent row in batch.Span)
                    flows.Add(row.Flow.Original);
                batch.Release();
            },
            CancellationToken.None);
        return flows;
    }
}
