using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline.Audit;

// Whether what became of the flows of keys without one has been observed. Each end says what it means; but none is told before the
// service's start,
// while events are lost, or when there are more than can be remembered.
internal sealed partial class MapAudit
{
    private bool _hasHistory; // an audit has counted since nothing was known
    private ushort _historyEpoch; // of that audit
    private bool _isUnknown; // keys that the audit under way misses for the first time may have lost their entry unseen
    private bool _hadOverflowed;

    private void OpenHistory()
    {
        _hadOverflowed = context.Holds.HasOverflowed;
        context.Holds.HasOverflowed = false;
        context.Holds.Open();
        _isUnknown = context.Options.WeighsEnds && (!_hasHistory || _historyEpoch != _epoch || _hadOverflowed);
    }

    private void CommitHistory()
    {
        context.SetTimeouts(_timeouts);
        context.Holds.Commit();
        _hasHistory = true;
        _historyEpoch = _epoch;
    }

    /// <summary>The audit does not count: the next one is to explain what this one was to.</summary>
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
