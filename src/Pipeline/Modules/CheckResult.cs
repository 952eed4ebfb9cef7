namespace ConntrackStream.Pipeline.Modules;

/// <summary>How a check went.</summary>
public enum CheckLevel
{
    Ok,

    /// <summary>It works, but less well or less completely.</summary>
    Warn,

    /// <summary>The service cannot do its job.</summary>
    Fail,
}

/// <summary>One line of <c>doctor</c>.</summary>
/// <param name="Subject">What was looked at.</param>
/// <param name="Finding">What is so.</param>
/// <param name="Fix">What to do about it; null when nothing.</param>
public sealed record CheckResult(CheckLevel Level, string Subject, string Finding, string? Fix = null)
{
    public static CheckResult Ok(string subject, string finding) => new(CheckLevel.Ok, subject, finding);

    public static CheckResult Warn(string subject, string finding, string fix) => new(CheckLevel.Warn, subject, finding, fix);

    public static CheckResult Fail(string subject, string finding, string fix) => new(CheckLevel.Fail, subject, finding, fix);

    public override string ToString() =>
        $"{Level.ToString().ToLowerInvariant(),-4}  {Subject}: {Finding}{(Fix is null ? "" : $" → {Fix}")}";
}
