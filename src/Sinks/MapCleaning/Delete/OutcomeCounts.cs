using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>What became of how many keys, by why they were nominated. Not thread-safe.</summary>
internal sealed class OutcomeCounts
{
    private static readonly int Reasons = Enum.GetValues<TombstoneReason>().Length;

    private static readonly DeleteOutcome[] KeptOutcomes =
        [DeleteOutcome.KeptStarted, DeleteOutcome.KeptAlive, DeleteOutcome.KeptInUse, DeleteOutcome.KeptUntracked, DeleteOutcome.KeptHeld];

    private readonly long[] _counts = new long[Enum.GetValues<DeleteOutcome>().Length * Reasons];

    public bool IsEmpty { get; private set; } = true;

    public void Add(DeleteOutcome outcome, TombstoneReason reason)
    {
        _counts[((int)outcome * Reasons) + (int)reason]++;
        IsEmpty = false;
    }

    public long this[DeleteOutcome outcome] => this[outcome, TombstoneReason.Ended] + this[outcome, TombstoneReason.MissedTwice];

    public long this[DeleteOutcome outcome, TombstoneReason reason] => _counts[((int)outcome * Reasons) + (int)reason];

    /// <summary>
    /// Such as <c>7 entries deleted (5 after their flow's end, 2 after two missed audits), 1 put back, 3
    /// kept (3 a flow with it started)</c>.
    /// </summary>
    public override string ToString()
    {
        StringBuilder text = new();
        Gone(text, DeleteOutcome.Deleted, "deleted");
        Gone(text, DeleteOutcome.WouldDelete, "would be deleted");
        Add(text, this[DeleteOutcome.Restored], "put back");
        Add(text, this[DeleteOutcome.Healed], "made again by a packet before they could be put back");
        Add(text, this[DeleteOutcome.RestoreFailed], "could not be put back");
        Kept(text);
        Add(text, this[DeleteOutcome.AlreadyGone], "removed by somebody else meanwhile");
        return text.ToString();
    }

    private void Gone(StringBuilder text, DeleteOutcome outcome, string what)
    {
        if (this[outcome] == 0)
            return;
        Add(text, this[outcome], $"entries {what}");
        text.Append(
            CultureInfo.InvariantCulture,
            $" ({this[outcome, TombstoneReason.Ended]} after their flow's end, "
            + $"{this[outcome, TombstoneReason.MissedTwice]} after two missed audits)");
    }

    private void Kept(StringBuilder text)
    {
        StringBuilder why = new();
        Add(why, this[DeleteOutcome.KeptStarted], "a flow with it started");
        Add(why, this[DeleteOutcome.KeptAlive], "the kernel knows a flow with it, or did not answer");
        Add(why, this[DeleteOutcome.KeptInUse], "a packet has used it since");
        Add(why, this[DeleteOutcome.KeptUntracked], "its group has never matched a flow");
        Add(why, this[DeleteOutcome.KeptHeld], "its connection may still be alive");
        if (why.Length > 0)
            Add(text, KeptOutcomes.Sum(outcome => this[outcome]), $"kept ({why})");
    }

    private static void Add(StringBuilder text, long count, string what)
    {
        if (count > 0)
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length == 0 ? "" : ", ")}{count} {what}");
    }
}
