namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Plain counters since start, read by polling from anywhere (each value is whole, the set is no snapshot); in <c>/v1/status</c> as they
/// are here.
/// </summary>
public sealed class ExternalCounters
{
    /// <summary>Questions written to the program or waiting to be.</summary>
    public long Asked;

    /// <summary>Answers in time.</summary>
    public long Answered;

    /// <summary>Questions without an answer by the deadline, or by the program's end.</summary>
    public long Unanswered;

    /// <summary>Answers to questions that were open no longer: too late, or given twice. Dropped.</summary>
    public long Late;

    /// <summary>Questions not asked, as too many were open or no program was there.</summary>
    public long Refused;

    /// <summary>Lines that had to wait, or ended the program, because there were too many.</summary>
    public long Flooded;

    /// <summary>Times the program was ended because it hung.</summary>
    public long Hangs;

    /// <summary>Times it was started again or connected to again, failed attempts included.</summary>
    public long Restarts;

    private readonly long[] _malformed = new long[Enum.GetValues<LineFault>().Length];

    /// <summary>Lines that could not be used, all kinds.</summary>
    public long Malformed => _malformed.Sum();

    /// <summary>Lines that could not be used, by what was wrong.</summary>
    public long MalformedBy(LineFault fault) => Volatile.Read(ref _malformed[(int)fault]);

    internal void CountMalformed(LineFault fault) => Interlocked.Increment(ref _malformed[(int)fault]);
}
