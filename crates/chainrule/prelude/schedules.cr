# schedules.cr — learning rates over time. epoch counts from 0 to epochs - 1, t counts steps from 1.

# The same rate for ever (note 000).
schedule constant(rate) = rate

# The rate falls like 1/epoch (note 000; Robbins, Monro 1951).
schedule inverse_time(rate0, decay) = rate0 / (1 + decay*epoch)

# The rate is multiplied by decay after every epoch (note 000).
schedule exponential(rate0, decay) = rate0 * decay^epoch

# The rate is multiplied by factor after every so many epochs (He, Zhang, Ren, Sun 2016).
schedule step_decay(rate0, factor, every) = rate0 * factor^floor(epoch/every)

# The rate falls along a straight line, towards rate_end after the last epoch (Devlin et al. 2019).
schedule linear(rate0, rate_end = 0) = rate0 + (rate_end - rate0)*epoch/epochs

# The rate falls along half a wave of the cosine, towards rate_end after the last epoch (Loshchilov, Hutter 2017).
schedule cosine(rate0, rate_end = 0):
    pi = 3.141592653589793
    rate_end + (rate0 - rate_end)*(1 + cos(pi*epoch/epochs))/2

# The rate rises along a straight line for the first epochs and then stays (Goyal et al. 2017).
schedule warmup(rate, warmup_epochs = 5) = rate * min(1, (epoch + 1)/warmup_epochs)

# The rate rises along a straight line and then falls along half a wave of the cosine (Goyal et al. 2017;
# Loshchilov, Hutter 2017).
schedule warmup_cosine(rate0, warmup_epochs = 5, rate_end = 0):
    pi = 3.141592653589793
    rise = min(1, (epoch + 1)/warmup_epochs)
    fallen = max(0, epoch - warmup_epochs)/max(1, epochs - warmup_epochs)
    rise*(rate_end + (rate0 - rate_end)*(1 + cos(pi*fallen))/2)

# The rate rises for the first steps and then falls like 1/sqrt(t) (Vaswani et al. 2017).
schedule warmup_inverse_sqrt(rate, warmup_steps = 4000) = rate * min(t/warmup_steps, sqrt(warmup_steps/t))

# The rate falls like a power of the share that is left, towards rate_end after the last epoch (Chen et al. 2018).
schedule polynomial(rate0, rate_end = 0, power = 2) = rate_end + (rate0 - rate_end)*(1 - epoch/epochs)^power

# The cosine begun anew every so many epochs (Loshchilov, Hutter 2017).
schedule cosine_restarts(rate0, every = 10, rate_end = 0):
    pi = 3.141592653589793
    since = epoch/every - floor(epoch/every)
    rate_end + (rate0 - rate_end)*(1 + cos(pi*since))/2

# The rate rises and falls along straight lines, half a wave in so many steps (Smith 2017).
schedule cyclic(low, high, half = 2000):
    place = t/(2*half) - floor(t/(2*half))
    low + (high - low)*(1 - abs(1 - 2*place))

# The rate rises from rate/start_factor for a share of all steps and falls far below it, both along half a wave of the
# cosine (Smith, Topin 2019).
schedule one_cycle(rate, rise = 0.3, start_factor = 25, end_factor = 1e4):
    pi = 3.141592653589793
    last = epochs*steps_per_epoch - 1
    peak = max(1, rise*(last + 1) - 1)
    up = min(1, (t - 1)/peak)
    down = max(0, t - 1 - peak)/max(1, last - peak)
    low = rate/start_factor
    end = low/end_factor
    low + (rate - low)*(1 - cos(pi*up))/2 + (end - rate)*(1 - cos(pi*down))/2

# The rate is multiplied by factor whenever the loss of validation (of training where there is none) has not been lower for
# so many epochs (Bengio 2012).
schedule plateau(rate0, factor = 0.1, patience = 10):
    state cuts = 0, last = 0
    cut = step(min(stale, epoch - last) - patience + 0.5)
    last := last + cut*(epoch - last)
    cuts := cuts + cut
    rate0 * factor^cuts

# The rate grows by the same factor in every step, to look for a good one (Smith 2017).
schedule range_test(low = 1e-7, high = 10, steps = 100) = low * (high/low)^((t - 1)/(steps - 1))
