namespace ConntrackStream.Sinks.Text;

/// <summary>When something is tried again, in messages.</summary>
internal static class WaitText
{
    /// <summary>Such as <c>at once</c>, <c>in 250 ms</c> or <c>in 1.5 s</c>.</summary>
    internal static string Of(TimeSpan wait) => Math.Round(wait.TotalMilliseconds) switch
    {
        <= 0 => "at once",
        < 1000 and var milliseconds => FormattableString.Invariant($"in {milliseconds} ms"),
        _ => FormattableString.Invariant($"in {wait.TotalSeconds:0.#} s"),
    };
}
