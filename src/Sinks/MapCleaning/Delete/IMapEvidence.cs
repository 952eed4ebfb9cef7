namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// Keeps each deletion, restoration, and deletion that would have been. Called on the journal's task, which it may hold up.
/// </summary>
public interface IMapEvidence
{
    void Write(in MapDecision decision);

    /// <summary>Nothing more comes for now.</summary>
    void Flush();
}
