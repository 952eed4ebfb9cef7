using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Audit;

// Whether the ends of flows have been observed whose keys are left. Each end says what it means; but there is none from before the
// service's start, from a time in which events were lost, or beyond the number that is remembered.
internal sealed partial class MapAudit
{
    private bool _hasHistory; // an audit has counted since nothing was known
    private ushort _historyEpoch; // of that audit
    private bool _isUnknown; // keys that the audit under way misses for the first time may have lost their flow unseen
    private bool _hadOverflowed;

    private void OpenHistory()
    {
        _hadOverflowed = context.Holds.HasOverflowed;
        context.Holds.HasOverflowed = false;
        context.Holds.Open();
        _isUnknown = context.Levers.WeighsEnds && (!_hasHistory || _historyEpoch != _epoch || _hadOverflowed);
    }

    private void CommitHistory()
    {
        context.SetTimeouts(_timeouts);
        context.Holds.Commit();
        _hasHistory = true;
        _historyEpoch = _epoch;
    }

    /// <summary>The audit does not count: what it was to explain is left to the next one.</summary>
    private void DiscardHistory()
    {
        context.Holds.HasOverflowed |= _hadOverflowed;
        _hadOverflowed = false;
    }

    private void Hold(in MapKey key, in MissLedger.Miss miss, long until)
    {
        _kept++;
        if (miss.Count == 2)
            stage.TellHeld(context.Map!, key, miss, until);
    }
}
