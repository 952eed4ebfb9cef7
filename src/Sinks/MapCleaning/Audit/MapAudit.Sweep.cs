using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Audit;

// Over the view's rows, once a scan counts: which live flows have lost keys?
internal sealed partial class MapAudit
{
    private readonly KeyQuestion<KeyLoser> _alive = new(context);
    private readonly Queue<KeyLoser> _losers = new();

    /// <summary>A flow of which keys are missing, if it lives.</summary>
    private readonly record struct KeyLoser(FlowFamily Family, int Slot, uint Generation, FlowTuple Original);

    private LoopWorkState Sweep()
    {
        if (_alive.IsAsked)
        {
            if (!_alive.IsAnswered)
                return LoopWorkState.Waiting;
            TakeAnswer();
        }
        else if (_losers.Count > 0)
        {
            while (!_alive.IsFull && _losers.TryDequeue(out KeyLoser loser))
                _alive.Add(loser, loser.Original);
            _alive.Ask();
        }
        else
        {
            StepRows(SweepRows, Phase.Idle);
            if (_phase == Phase.Idle)
                Finish();
        }

        return LoopWorkState.Busy;
    }

    private void TakeAnswer()
    {
        for (int i = 0; i < _alive.Count; i++)
        {
            KeyLoser loser = _alive[i];
            FlowChange change = default;
            bool isSame = context.View.TryRead(loser.Family, loser.Slot, ref change, out _) && change.Generation == loser.Generation;
            if (isSame && _alive.Existence(i) == FlowExistence.Some)
                OnLostKeys(change.Flow);
        }

        _alive.Clear();
    }

    private void SweepRows(int from, int to)
    {
        for (int slot = context.Tally.NextWithFewer(_family, from, to);
            slot < to;
            slot = context.Tally.NextWithFewer(_family, slot + 1, to))
        {
            FlowChange change = default;
            if (context.View.TryRead(_family, slot, ref change, out _) && MissesKeys(change.Flow, context.Tally.Before(_family, slot)))
                _losers.Enqueue(new KeyLoser(_family, slot, change.Generation, change.Flow.Original with { Zone = 0 }));
        }
    }

    /// <summary>Fewer keys than before are really there, and none of them is in our hands.</summary>
    private bool MissesKeys(in Flow flow, int before)
    {
        if (stage.HasTombstone(flow.Original) || stage.HasTombstone(flow.Reply))
            return false;
        int present = 0;
        foreach (ref readonly MapKey key in context.KeysOf(flow))
            present += stage.IsInMap(context.Map!, key) ? 1 : 0;
        return present < before;
    }
}
