namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>The flows, and whether there can be others.</summary>
/// <param name="Flows">By their start.</param>
/// <param name="Missing">Empty: the logs cover the whole window, and no gap lies in it.</param>
/// <param name="Notes">What is true of every log that begins at some time: it limits the answer without making it doubtful.</param>
/// <param name="Bytes">Content that was searched.</param>
internal sealed record WhoAnswer(
    IReadOnlyList<FlowLife> Flows, IReadOnlyList<Missing> Missing, IReadOnlyList<string> Notes, int Files, long Bytes)
{
    internal bool IsComplete => Missing.Count == 0;
}
