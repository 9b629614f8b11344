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
