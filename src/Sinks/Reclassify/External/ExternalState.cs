namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>How the external classifier is. Never changed, only replaced.</summary>
/// <param name="Text">Such as <c>running (pid 123)</c>, or why it does not.</param>
/// <param name="IsWorking">Whether it can be asked.</param>
/// <param name="RestartsAt">Timestamp; null when it does not wait for one.</param>
internal sealed record ExternalState(string Text, bool IsWorking = false, long? RestartsAt = null);
