namespace ConntrackStream.Service.Api.Streams;

/// <summary>Waiting with signs of life in between.</summary>
internal static class PatientTask
{
    /// <summary>False when it takes longer; it goes on then.</summary>
    internal static async Task<bool> IsDoneWithinAsync(this Task task, TimeSpan most, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await task.WaitAsync(most, time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
