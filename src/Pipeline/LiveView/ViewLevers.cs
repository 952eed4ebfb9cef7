namespace ConntrackStream.Pipeline.LiveView;

/// <summary>Guards of the live view that a negative control takes away. The service has the defaults.</summary>
internal sealed record ViewLevers
{
    /// <summary>False takes the replacement rule away: NEW over a flow that may have ended unseen.</summary>
    public bool ReplaceAfterLoss { get; init; } = true;
}
