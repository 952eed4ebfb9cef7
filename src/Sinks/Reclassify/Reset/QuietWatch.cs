namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>
/// Whether packets of a closed connection still pass, by its entry's timer: each packet sets it back (nf_ct_refresh_acct), whatever the
/// sysctl says. The kernel reports whole seconds, so that a packet that sets it back by less than two goes unnoticed; <see cref="Window"/>
/// makes up for that.
/// </summary>
internal struct QuietWatch
{
    /// <summary>For so long at least no packet has passed when the connection counts as quiet, ms.</summary>
    internal const long Quiet = 2000;

    /// <summary>For so long the timer must not have been set back as far as can be seen, ms.</summary>
    internal const long Window = Quiet + (2 * Unit);

    private const long Unit = 1000; // of CTA_TIMEOUT, in ms

    private long? _since; // ms, monotonic
    private long _expiry; // the earliest reading since then

    /// <param name="timeout">CTA_TIMEOUT: seconds left.</param>
    /// <param name="now">ms, monotonic.</param>
    internal bool IsQuiet(uint timeout, long now)
    {
        long expiry = now + (timeout * Unit);
        if (_since is null || expiry >= _expiry + Unit)
            (_since, _expiry) = (now, expiry);
        else
            _expiry = Math.Min(_expiry, expiry);
        return now - _since >= Window;
    }
}
