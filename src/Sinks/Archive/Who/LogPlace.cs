namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>A place between the restarts of a service, in the order of its log: times do not show it, since dumps find old flows.</summary>
/// <param name="Log">Index of the log.</param>
/// <param name="Unit">Index of the part of the log.</param>
/// <param name="Restarts">Restarts in that part before the place.</param>
internal readonly record struct LogPlace(int Log, int Unit, int Restarts)
{
    /// <summary>Only within one log.</summary>
    internal bool IsBefore(LogPlace other) => Log == other.Log && (Unit, Restarts).CompareTo((other.Unit, other.Restarts)) < 0;

    internal static LogPlace Later(LogPlace one, LogPlace other) => one.IsBefore(other) ? other : one;
}
